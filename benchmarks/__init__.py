"""What the lab costs: `nox -s bench`. Each module yields rows by `measure()`; its first line is their heading."""
