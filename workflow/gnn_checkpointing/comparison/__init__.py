"""Published reports of several machines joined: what must be the same is checked, what differs formed into ratios."""
