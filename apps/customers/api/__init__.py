"""The REST API of the bank's own app."""
