"""SHAKE OUT: run the suite in many orders, counted, and tell what depends on them."""
