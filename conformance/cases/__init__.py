"""All cases, by table."""

from conformance.case import Case
from conformance.cases import (
    addresses,
    beneficiary,
    collect_faults,
    collects,
    credentials,
    faults,
    links,
    listings,
    magic_payees,
    purchases,
    refunds,
    remitter,
    repeats,
    unserved,
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
    *collects.CASES,
    *collect_faults.CASES,
    *refunds.CASES,
    *unserved.CASES,
    *links.CASES,
)
