"""What is tried against the answer: one question a file."""
