"""The decision: what AWS would answer, and why. Pure Python, no I/O, no clock."""
