"""What a call asks permission for, and the decision on it."""
