"""Signatures of requests, read and verified."""
