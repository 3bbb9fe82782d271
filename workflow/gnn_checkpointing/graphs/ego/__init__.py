"""Ego networks: every node's surroundings within a radius, encoded as counts or put into a bag of small graphs."""
