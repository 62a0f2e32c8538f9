"""
What each role may do.

A role is a Django group that has no permissions of its own in the database: they are here, where a
change is reviewed. A grant is "app.codename-prefix"; "*" is every app.
"""

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

AUDITOR = "Auditor"
OPERATIONS = "Operations"
SECURITY_OFFICER = "Security officer"
PLATFORM = "Platform"
RISK = "Risk"

_BUSINESS_APPS = (
    "accounts",
    "customers",
    "ledger",
    "merchants",
    "payments",
    "risk",
    "settlement",
    "upi",
    "vpa",
)

_BUSINESS_VIEWS = tuple(f"{app}.view_" for app in _BUSINESS_APPS)

ROLES: Mapping[str, tuple[str, ...]] = {
    AUDITOR: ("*.view_",),
    # The bank's service: when it pauses, and what may be done at all.
    OPERATIONS: (
        *_BUSINESS_VIEWS,
        "messaging.view_deadletter",
        "accounts.add_servicepause",
        "accounts.change_servicepause",
        "accounts.change_unmatchedanswer",
        "payments.add_flowrule",
        "upi.add_apicap",
        "upi.add_timerrule",
    ),
    # Who may pay and be paid, and how much.
    RISK: (
        *_BUSINESS_VIEWS,
        "accounts.add_accountrestriction",
        "accounts.change_accountrestriction",
        "risk.add_limitrule",
        "risk.add_riskscorerule",
        "vpa.change_vpa",
        "merchants.change_merchant",
    ),
    SECURITY_OFFICER: (
        "operators.view_",
        "operators.add_operator",
        "operators.change_operator",
        "operators.add_proposal",
        "operators.change_proposal",
        "auth.view_group",
    ),
    # Jobs and health; nothing of customers and no money.
    PLATFORM: ("messaging.view_outboxevent", "messaging.view_deadletter"),
}


def permissions_of(roles: Iterable[str]) -> QuerySet[Permission]:
    """Return the permissions that these roles grant together; unknown names grant nothing."""
    granted = Q(pk__in=())
    for role in roles:
        for grant in ROLES.get(role, ()):
            app, _, prefix = grant.partition(".")
            wanted = Q(codename__startswith=prefix)
            granted |= wanted if app == "*" else wanted & Q(content_type__app_label=app)
    return Permission.objects.filter(granted)
