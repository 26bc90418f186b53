"""One module per way of executing orders."""
