"""The REST API of payment addresses."""
