"""What runs in worker processes: one contestant each, plain or isolated."""
