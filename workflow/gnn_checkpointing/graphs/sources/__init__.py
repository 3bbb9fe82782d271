"""Where real graphs are read from: one kind of source a file, each giving the same `Loaded`."""
