"""Restrict accounts, and pause debits and credits, by an operator's word."""

import datetime as dt

from apps.accounts.errors import PauseUnknownError
from apps.accounts.models import AccountRestriction, BankAccount, ServicePause
from apps.accounts.states import Pause, Restriction, Side
from apps.common.masking import mask_account
from apps.operators.contracts import Author, Span
from apps.operators.services import dated_spans

# What holds up one side only.
_ONE_SIDED = {Pause.HSM: Side.REMITTER, Pause.MERCHANTS: Side.BENEFICIARY}


def restrict_account(
    account: BankAccount,
    kind: Restriction,
    *,
    span: Span,
    author: Author,
    now: dt.datetime,
) -> None:
    """Restrict an account from an instant, until another. Raises the refusals of dated spans."""
    dated_spans.begin(
        AccountRestriction,
        key={"account": account, "kind": kind.value},
        span=span,
        target=mask_account(account.number),
        author=author,
        now=now,
    )


def end_restriction(
    restriction: AccountRestriction,
    *,
    at: dt.datetime | None,
    author: Author,
    now: dt.datetime,
) -> None:
    """End a restriction; others of the account go on. Raises the refusals of dated spans."""
    target = mask_account(restriction.account.number)
    dated_spans.end(restriction, at=at, target=target, author=author, now=now)


def check_pause(side: Side, kind: Pause) -> None:
    """Raise PauseUnknownError when the side has no such pause."""
    if _ONE_SIDED.get(kind, side) is not side:
        raise PauseUnknownError


def pause_service(
    side: Side,
    kind: Pause,
    *,
    span: Span,
    author: Author,
    now: dt.datetime,
) -> None:
    """Work no debits, or no credits. Raises PauseUnknownError, the refusals of dated spans."""
    check_pause(side, kind)
    dated_spans.begin(
        ServicePause,
        key={"side": side.value, "kind": kind.value},
        span=span,
        target=f"{side} {kind}",
        author=author,
        now=now,
    )


def end_pause(
    pause: ServicePause,
    *,
    at: dt.datetime | None,
    author: Author,
    now: dt.datetime,
) -> None:
    """End a pause; others go on. Raises the refusals of dated spans."""
    target = f"{pause.side} {pause.kind}"
    dated_spans.end(pause, at=at, target=target, author=author, now=now)
