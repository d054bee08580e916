"""What the lab costs: `nox -s bench`. A module yields rows from `measure()`, or prints a table from `main()`."""
