"""Commands of the HSM, one module each."""
