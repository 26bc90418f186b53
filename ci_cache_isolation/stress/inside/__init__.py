"""What runs inside the user's test processes: it imposes an order and takes notes."""
