"""Commands of the UPI wire."""
