"""Commands of the HSM."""
