"""All cases, by table."""

from conformance.case import Case
from conformance.cases import (
    addresses,
    beneficiary,
    credentials,
    faults,
    listings,
    magic_payees,
    purchases,
    remitter,
    repeats,
    validation,
)

CASES: tuple[Case, ...] = (
    *magic_payees.CASES,
    *faults.CASES,
    *repeats.CASES,
    *purchases.CASES,
    *addresses.CASES,
    *remitter.CASES,
    *beneficiary.CASES,
    *credentials.CASES,
    *listings.CASES,
    *validation.CASES,
)
