"""What the lab costs, measured by `nox -s bench`: every module here with a `measure()` that yields rows."""
