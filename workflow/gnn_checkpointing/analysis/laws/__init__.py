"""Laws that predict bytes and seconds: forms, fits, held-out errors, and consequences."""
