"""Families of random graphs; each draws exactly the edges asked for, each once."""
