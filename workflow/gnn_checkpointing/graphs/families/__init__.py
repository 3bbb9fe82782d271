"""One family of random graphs a file; each draws exactly the edges asked for, each once."""
