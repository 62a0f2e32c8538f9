"""What every app may use: money, clock, ids, errors. It has no models."""
