"""The published pages in a real browser; `make test-browser` installs what they need."""
