"""A rotation of the PIN verification key: from a second live key to the end of the first."""

import datetime as dt
import io

import pytest
from django.core.management import call_command

from apps.accounts.models import PinState
from apps.common import clock, ids
from apps.operators.errors import KeyStillUsedError
from apps.operators.models import AuditEntry, Proposal
from apps.payments.services import verify
from apps.payments.states import Role
from hsm import ceremony
from hsm.configuration import configuration
from tests.hsm.conftest import empty_folder, prepared_token, token  # noqa: F401 - fixtures
from tests.operators.test_key_ceremony import carry_out, decided, officers  # noqa: F401 - fixtures
from tests.operators.test_key_ceremony_kills import killed  # noqa: F401 - a fixture
from tests.payments.hand import Deal, drain
from tests.payments.test_debit import ABROAD

# The token of each test is its own, and the host has no key in it.
pytestmark = pytest.mark.own_books
OLD, NEW = "pin-verification-1", "pin-verification-2"


@pytest.fixture
def asha(token, hand, settings):  # noqa: F811
    """A customer whose PIN is under the old key, on the day the bank begins with the new one."""
    account = hand.account(paise=100_000)
    ceremony.create_key(NEW)
    settings.HSM_PIN_KEY = NEW
    configuration.cache_clear()
    return account


def pay(hand, payer):
    sent = hand.debit(Deal(payer=payer, payee=ABROAD))
    drain(Role.DEBIT)
    return sent.code


def said():
    lines = io.StringIO()
    call_command("pin_keys", stdout=lines)
    return lines.getvalue().splitlines()


def labels():
    return {one.label for one in ceremony.list_keys()}


def test_the_last_right_pin_under_the_old_key_lets_it_end(hand, asha, decided):  # noqa: F811
    proposal = decided("DESTROY_KEY", OLD, ends_at=clock.now() + dt.timedelta(days=90))
    assert said() == [f"{NEW}  0  today's", f"{OLD}  1  ends"]
    with pytest.raises(KeyStillUsedError):
        carry_out(proposal)
    assert OLD in labels()

    assert pay(hand, asha) == "00"
    assert said() == [f"{NEW}  1  today's"]
    carry_out(proposal)

    assert OLD not in labels()
    assert pay(hand, asha) == "00"


def test_after_the_last_day_who_never_used_the_pin_sets_a_new_one(hand, asha, decided):  # noqa: F811
    proposal = decided("DESTROY_KEY", OLD, ends_at=clock.now() + dt.timedelta(days=90))
    Proposal.objects.update(ends_at=clock.now())

    carry_out(proposal)

    assert OLD not in labels()
    assert PinState.objects.get().verifier is None
    assert pay(hand, asha) == "AM"


def test_what_a_killed_ceremony_let_go_is_in_the_log(hand, asha, decided, killed):  # noqa: F811
    proposal = decided("DESTROY_KEY", OLD, ends_at=clock.now() + dt.timedelta(days=90))
    Proposal.objects.update(ends_at=clock.now())

    killed("let_go", proposal)
    assert OLD in labels()
    carry_out(proposal)

    assert OLD not in labels()
    assert pay(hand, asha) == "AM"
    begun = AuditEntry.objects.filter(action="proposal_begun").order_by("sequence")
    assert [entry.detail["needed_by"] for entry in begun] == [1, 0]


def test_a_pin_in_the_token_at_that_moment_keeps_its_key(hand, asha, decided):  # noqa: F811
    hand.debit(Deal(payer=asha, payee=ABROAD))
    verify._take_due(ids.uuid7(), None)
    proposal = decided("DESTROY_KEY", OLD, ends_at=clock.now() + dt.timedelta(days=90))
    Proposal.objects.update(ends_at=clock.now())

    with pytest.raises(KeyStillUsedError):
        carry_out(proposal)

    assert OLD in labels()
    assert PinState.objects.get().verifier is not None
