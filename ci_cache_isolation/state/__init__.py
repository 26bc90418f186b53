"""What a process keeps besides caches: seen, compared, named and put back."""
