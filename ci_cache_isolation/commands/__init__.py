"""What ``cache-isolation`` can do: one module for each command."""
