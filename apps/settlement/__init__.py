"""Reconciliation of our books with the switch's files."""
