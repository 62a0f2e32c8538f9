"""Commands of payment addresses."""
