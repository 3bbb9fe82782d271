"""One function per command; `app.py` names them. What needs torch is imported inside, for most commands need none."""
