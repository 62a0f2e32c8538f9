"""The limits' pages of the back office."""
