"""The engine: one module per use case or step."""
