"""The port to core banking and its adapters."""
