"""The issuer's pages of the back office."""
