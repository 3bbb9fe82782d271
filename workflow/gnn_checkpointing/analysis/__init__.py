"""Statistical analysis of the measurements: paired effects, regressions, prediction errors."""
