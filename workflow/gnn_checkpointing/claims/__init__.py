"""Claims: sentences, the rules that judge them, and their verdicts."""
