"""The REST API of merchants."""
