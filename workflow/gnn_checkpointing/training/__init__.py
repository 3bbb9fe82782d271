"""Training jobs: a fixed number of epochs from one seed, saved as they go, resumed where they were killed."""
