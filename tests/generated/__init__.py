"""Projects that the template makes, and what their own checks say of them."""
