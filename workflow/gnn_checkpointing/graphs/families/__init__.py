"""Families of random graphs; each draws exactly the requested number of distinct edges."""
