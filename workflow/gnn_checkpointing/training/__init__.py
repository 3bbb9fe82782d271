"""Training jobs: a fixed number of epochs from one seed; they save their state and resume if interrupted."""
