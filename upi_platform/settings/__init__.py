"""Settings, one module per concern and one per place the platform runs."""
