"""Records of graphs, measurements, training jobs and explanations, and the table of measurements."""
