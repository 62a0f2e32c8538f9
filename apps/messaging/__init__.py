"""Outbox, inbox, claims and wake-ups: how work and facts move."""
