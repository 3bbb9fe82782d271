"""The study as typed values: its allowed settings, and the graphs and cells that result from them."""
