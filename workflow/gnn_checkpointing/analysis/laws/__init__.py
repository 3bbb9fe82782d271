"""Laws that predict bytes and seconds: forms, fits, what they did not see, and what follows from them."""
