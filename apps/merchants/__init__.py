"""Merchants: API keys, orders, webhooks."""
