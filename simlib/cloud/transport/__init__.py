"""Requests and answers as they travel: one parser and one serializer for both transports."""
