"""Which tests leave what in a cache, and which look at it: one run, read and proved."""
