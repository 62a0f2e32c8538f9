"""The use cases of limits."""
