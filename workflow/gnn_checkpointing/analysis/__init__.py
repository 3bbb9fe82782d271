"""What the measurements say: paired effects, regressions, prediction errors."""
