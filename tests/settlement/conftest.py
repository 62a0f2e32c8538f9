"""The payments' own fixtures: a bank, and a switch whose hand we hold."""

from tests.payments.conftest import gateway, hand, switch, switch_key

__all__ = ["gateway", "hand", "switch", "switch_key"]
