"""The use cases of this app."""
