"""What claims ask of the analysis: each query finds estimates with their addresses, or says why there are none."""
