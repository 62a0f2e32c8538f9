"""The ledger's pages of the back office."""
