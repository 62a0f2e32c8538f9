"""What the sweeper asks each second: the step to wake, and the question whether it has work."""

from collections.abc import Mapping

SWEEPS: Mapping[str, str] = {
    "payments.payer_psp": "apps.payments.selectors.payer_psp_is_due",
    "payments.payee_psp": "apps.payments.selectors.payee_psp_is_due",
    "payments.debit": "apps.payments.selectors.debit_is_due",
    "payments.credit": "apps.payments.selectors.credit_is_due",
    "payments.reversal": "apps.payments.selectors.reversal_is_due",
    "accounts.credentials": "apps.accounts.selectors.credentials_are_due",
    "accounts.pins": "apps.accounts.selectors.pins_are_due",
    "customers.requests": "apps.customers.selectors.requests_are_due",
    "customers.listings": "apps.customers.selectors.listings_are_due",
    "customers.tokens": "apps.customers.selectors.tokens_are_due",
    "vpa.verifications": "apps.vpa.selectors.verifications_are_due",
    "merchants.webhooks": "apps.merchants.selectors.webhooks_are_due",
    "upi.deliver": "apps.upi.selectors.delivery_is_due",
    "upi.directory": "apps.upi.selectors.directory_is_due",
    "settlement.host_files": "apps.settlement.host_selectors.host_file_is_due",
}

# What must not outlive its time: name to a function that removes it and says how much.
PURGES: Mapping[str, str] = {
    "upi.pin_blocks": "apps.upi.services.pin_blocks.purge",
    "customers.listings": "apps.customers.services.listing.purge",
    "upi.api_uses": "apps.upi.services.governor.purge",
    "payments.host_calls": "apps.payments.services.host_calls.purge",
}
