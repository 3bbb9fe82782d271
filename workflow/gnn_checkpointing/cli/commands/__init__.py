"""One function a command; heavy imports stay inside: planning waits for no torch, rendering for no statistics."""
