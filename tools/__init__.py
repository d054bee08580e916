"""What makes files of the lab anew; run by nox, and no part of the package."""
