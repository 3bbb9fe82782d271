"""The study as typed values: what may be asked for, and which graphs and cells that makes."""
