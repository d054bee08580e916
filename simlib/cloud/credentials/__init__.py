"""Temporary credentials: who gets them, for how long, and what they carry."""
