"""Which test left what in a cache, and which test looked at it: leaks, by reading.

With isolation on each test does to the caches what it does alone, so one run, in any
order, shows what every order could do.
"""
