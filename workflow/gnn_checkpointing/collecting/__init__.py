"""From the records of a study to its table and its traces."""
