"""English, for India."""
