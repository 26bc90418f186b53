"""PREVENT: each test, class and process gets its own section of every cache."""
