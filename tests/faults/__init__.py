"""Everything that can go wrong, done on purpose."""
