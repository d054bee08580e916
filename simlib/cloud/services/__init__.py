"""What the lab answers itself, or adds to moto, service by service."""
