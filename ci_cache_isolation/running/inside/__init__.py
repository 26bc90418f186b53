"""What runs inside the process that is set up once, and in the forks of it."""
