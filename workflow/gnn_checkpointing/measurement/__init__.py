"""The instrument: peak memory, step time, sameness, one cell at a time, alone on the machine."""
