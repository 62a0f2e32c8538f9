"""Who carries a key ceremony out is killed at any point; once more comes to the decided end."""

import datetime as dt
import hashlib
import json
import signal

import pytest

from apps.common import clock
from apps.operators.errors import ContentDiffersError, NotYetError
from apps.operators.models import AuditEntry, Proposal
from apps.operators.services import audit, decisions
from hsm import ceremony, host_keys
from hsm.errors import KeyInUseError
from tests.foundry import opened_foundry
from tests.hsm.conftest import TOKEN, empty_folder, prepared_token, token  # noqa: F401 - fixtures
from tests.hsm.test_host_keys import wrap
from tests.operators.test_key_ceremony import (
    author,
    carry_out,
    decided,  # noqa: F401 - fixture
    officers,  # noqa: F401 - fixture
)

# The token of each test is its own, and the host has no key in it.
pytestmark = [pytest.mark.own_books, pytest.mark.usefixtures("committed", "token")]

# Sets Django up once; for each order it forks a console that dies at a point.
FOUNDRY = """
import json, os, sys
import django
django.setup()
from django.conf import settings
from apps.operators.services import key_ceremony
for name, value in json.loads(sys.stdin.readline()).items():
    setattr(settings, name, value)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        settings.FAULT_AT, proposal, wrapped = json.loads(line)
        key_ceremony.carry_out(proposal, actor="console:dead", wrapped=bytes.fromhex(wrapped))
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""
POINTS = ["begun", "changed", "recording"]


@pytest.fixture
def killed(token, settings):  # noqa: F811
    """Have a ceremony begun by a process that dies at a point."""
    with opened_foundry(FOUNDRY) as foundry:
        foundry.tell(json.dumps({name: getattr(settings, name) for name in TOKEN}))

        def killed(point, proposal, wrapped=b""):
            order = [f"key_ceremony.{point}", proposal, wrapped.hex()]
            assert foundry.fork(json.dumps(order)) == signal.SIGKILL

        yield killed


def keys():
    """Return the objects of the token, and what each can be recognised by."""
    return [(one.label, one.object_class, one.check_value) for one in ceremony.list_keys()]


def objects(label, *, among):
    return [found for found in among if found[0] == label]


def logged(proposal):
    """Return what the log says of the work at the token, once its chain holds."""
    audit.verify()
    work = AuditEntry.objects.filter(
        detail__proposal=proposal, action__in=["proposal_begun", "proposal_done"]
    )
    return [
        (entry.actor, name, entry.detail[name])
        for entry in work.order_by("sequence")
        for name in ("was_there", "made", "ended")
        if name in entry.detail
    ]


@pytest.mark.parametrize(("label", "halves"), [("mac-2", 1), ("xml-signing-2", 2), ("uri-ec-2", 2)])
@pytest.mark.parametrize("point", POINTS)
def test_a_key_whose_maker_was_killed_is_made_once(decided, killed, point, label, halves):  # noqa: F811
    before = keys()
    proposal = decided("CREATE_KEY", label)
    killed(point, proposal)
    left = objects(label, among=keys())
    was_made = int(point != "begun")
    assert len(left) == halves * was_made

    carry_out(proposal)

    made = objects(label, among=keys())
    assert len(made) == halves
    assert not was_made or made == left
    assert [found for found in keys() if found not in made] == before
    assert ceremony.check_keys() == []
    assert Proposal.objects.get().state == "DONE"
    assert logged(proposal) == [
        ("console:dead", "was_there", 0),
        ("console:root", "was_there", was_made),
        ("console:root", "made", 1 - was_made),
    ]


@pytest.mark.parametrize("point", POINTS)
def test_a_key_whose_importer_was_killed_is_taken_in_once(
    decided,  # noqa: F811
    killed,
    settings,
    tmp_path,
    point,
):
    settings.KEYS_DIRECTORY = tmp_path
    host_keys.exchange()
    wrapped = wrap()
    digest = hashlib.sha256(wrapped).hexdigest()
    proposal = decided("IMPORT_KEY", "host-mac-1", content_digest=digest)
    killed(point, proposal, wrapped)

    carry_out(proposal, wrapped=wrapped)

    assert len(objects("host-mac-1", among=keys())) == 1
    was_made = int(point != "begun")
    assert logged(proposal) == [
        ("console:dead", "was_there", 0),
        ("console:root", "was_there", was_made),
        ("console:root", "made", 1 - was_made),
    ]
    done = AuditEntry.objects.get(action="proposal_done")
    assert done.detail["check_value"] == host_keys.check_value("host-mac-1")


@pytest.mark.parametrize("point", POINTS)
def test_a_key_whose_ender_was_killed_is_ended_and_no_other(decided, killed, point):  # noqa: F811
    before = keys()
    ceremony.create_key("issuer-20251101")
    proposal = decided("DESTROY_KEY", "issuer-20251101", ends_at=clock.now())
    killed(point, proposal)

    carry_out(proposal)

    assert keys() == before
    assert Proposal.objects.get().state == "DONE"
    was_there = int(point == "begun")
    assert logged(proposal) == [
        ("console:dead", "was_there", 1),
        ("console:root", "was_there", was_there),
        ("console:root", "ended", was_there),
    ]


def test_what_the_dead_did_at_the_token_is_not_hidden_by_a_rejection(decided, killed, officers):  # noqa: F811
    proposal = decided("CREATE_KEY", "mac-2")
    killed("changed", proposal)
    decisions.reject(proposal, author=author(officers[0]))

    assert len(objects("mac-2", among=keys())) == 1
    actions = AuditEntry.objects.order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-2:] == ["proposal_begun", "proposal_rejected"]


def test_what_was_refused_was_not_begun(decided):  # noqa: F811
    late = decided("DESTROY_KEY", "issuer-20251101", ends_at=clock.now() + dt.timedelta(days=2))
    named = decided("DESTROY_KEY", "mac-1", ends_at=clock.now())
    unlike = decided("IMPORT_KEY", "host-mac-1", content_digest="0" * 64)

    for proposal, refusal in (
        (late, NotYetError),
        (named, KeyInUseError),
        (unlike, ContentDiffersError),
    ):
        with pytest.raises(refusal):
            carry_out(proposal, wrapped=b"other")

    assert not AuditEntry.objects.filter(action="proposal_begun").exists()
