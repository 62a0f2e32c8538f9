"""Virtual payment addresses: registration and resolution."""
