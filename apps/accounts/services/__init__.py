"""The issuer's use cases."""
