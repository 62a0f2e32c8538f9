"""Key ceremonies: proposed by one officer, approved by another, carried out at a real token."""

import datetime as dt
import hashlib
import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.urls import reverse
from pkcs11 import Attribute, KeyType, ObjectClass

from apps.common import clock
from apps.operators import roles
from apps.operators.contracts import Author
from apps.operators.errors import (
    ContentDiffersError,
    NotApprovedError,
    NotASecondPersonError,
    NothingChangesError,
    NotYetError,
    ProposalOverError,
    SubjectUnknownError,
)
from apps.operators.models import AuditEntry, Proposal
from apps.operators.services import audit, decisions, key_ceremony
from hsm import ceremony, host_keys
from hsm.errors import KeyInUseError
from tests.hsm.conftest import empty_folder, prepared_token, token  # noqa: F401 - fixtures
from tests.hsm.test_ceremony import write
from tests.hsm.test_host_keys import wrap
from tests.operators.change import REASON, Form
from tests.operators.factory import make_account, make_operator

Action = Proposal.Action
pytestmark = pytest.mark.usefixtures("committed")
NEW = "mac-2"


def author(operator):
    return Author(operator=operator.email, staff_number=operator.staff_number, reason=REASON)


@pytest.fixture
def officers():
    return make_account(roles.SECURITY_OFFICER), make_account(roles.SECURITY_OFFICER)


@pytest.fixture
def decided(officers):
    """Have something proposed by the one and approved by the other."""

    def decide(action, label, **more):
        one, other = officers
        made = key_ceremony.propose(action, label, author=author(one), **more)
        return decisions.approve(made.pk, author=author(other)).pk

    return decide


def labels():
    return {one.label for one in ceremony.list_keys()}


def carry_out(proposal_id, **more):
    return key_ceremony.carry_out(proposal_id, actor="console:root", **more)


def test_a_key_is_made_by_the_word_of_two_and_the_log_names_them(token, decided, officers):  # noqa: F811
    proposal = decided(Action.CREATE_KEY, NEW)

    carry_out(proposal)

    assert NEW in labels()
    logged = list(AuditEntry.objects.order_by("sequence").values_list("actor", "action", "target"))
    assert logged == [
        (officers[0].email, "proposal_made", NEW),
        (officers[1].email, "proposal_approved", NEW),
        ("console:root", "proposal_begun", NEW),
        ("console:root", "proposal_done", NEW),
    ]
    assert audit.verify()[0] == 4
    with pytest.raises(ProposalOverError):
        carry_out(proposal)


def test_nothing_is_done_by_the_word_of_one(token, officers):  # noqa: F811
    one, _ = officers
    proposal = key_ceremony.propose(Action.CREATE_KEY, NEW, author=author(one)).pk

    with pytest.raises(NotASecondPersonError):
        decisions.approve(proposal, author=author(one))
    with pytest.raises(NotApprovedError):
        carry_out(proposal)
    with pytest.raises(IntegrityError):
        Proposal.objects.update(state="APPROVED", decided_by=one, decided_at=clock.now())

    assert NEW not in labels()


def puppet(maker, action="operator_added"):
    made = make_account(roles.SECURITY_OFFICER)
    audit.record(actor=maker.email, action=action, target=made.staff_number)
    return made


@pytest.mark.parametrize(
    ("_case", "people"),
    [
        ("an account they made", lambda one: (one, puppet(one))),
        ("by an account they made", lambda one: (puppet(one), one)),
        ("two that they made", lambda one: (puppet(one), puppet(one))),
        ("one that theirs made", lambda one: (one, puppet(puppet(one)))),
        ("one whose access they changed", lambda one: (one, puppet(one, "operator_changed"))),
        ("one that enrolled anew", lambda one: (one, puppet(one, "second_factor_forgotten"))),
    ],
)
def test_an_account_that_one_person_stands_behind_is_no_second_person(officers, _case, people):
    proposer, approver = people(officers[0])
    proposal = key_ceremony.propose(Action.CREATE_KEY, NEW, author=author(proposer)).pk

    with pytest.raises(NotASecondPersonError):
        decisions.approve(proposal, author=author(approver))

    assert Proposal.objects.get().state == "PROPOSED"


def test_an_import_takes_only_the_bytes_that_were_approved(token, decided, settings, tmp_path):  # noqa: F811
    settings.KEYS_DIRECTORY = tmp_path
    host_keys.exchange()
    wrapped = wrap()
    digest = hashlib.sha256(wrapped).hexdigest()
    proposal = decided(Action.IMPORT_KEY, "host-mac-1", content_digest=digest)

    with pytest.raises(ContentDiffersError):
        carry_out(proposal, wrapped=wrap())
    assert "host-mac-1" not in labels()
    carry_out(proposal, wrapped=wrapped)

    assert "host-mac-1" in labels()
    done = AuditEntry.objects.order_by("sequence").last()
    assert done.detail["check_value"] == host_keys.check_value("host-mac-1")


def test_a_key_ends_on_the_day_that_was_decided_and_not_before(token, decided):  # noqa: F811
    ceremony.create_key("issuer-20251101")
    proposal = decided(
        Action.DESTROY_KEY, "issuer-20251101", ends_at=clock.now() + dt.timedelta(days=2)
    )

    with pytest.raises(NotYetError):
        carry_out(proposal)
    assert "issuer-20251101" in labels()
    Proposal.objects.update(ends_at=clock.now())
    carry_out(proposal)

    assert "issuer-20251101" not in labels()


def test_a_key_that_nobody_can_list_is_ended_by_its_label(token, decided):  # noqa: F811
    write(
        lambda session: session.create_object(
            {
                Attribute.CLASS: ObjectClass.PUBLIC_KEY,
                Attribute.KEY_TYPE: KeyType.RSA,
                Attribute.LABEL: "stray",
                Attribute.TOKEN: True,
                Attribute.MODULUS: bytes([3]) * 8,
                Attribute.PUBLIC_EXPONENT: bytes([1]),
            }
        )
    )
    with pytest.raises(ValueError, match="e must be"):
        ceremony.list_keys()
    proposal = decided(Action.DESTROY_KEY, "stray", ends_at=clock.now())

    carry_out(proposal)

    assert "stray" not in labels()


def test_a_key_that_the_bank_works_with_is_not_ended(token, decided):  # noqa: F811
    proposal = decided(Action.DESTROY_KEY, "mac-1", ends_at=clock.now())

    with pytest.raises(KeyInUseError):
        carry_out(proposal)

    assert "mac-1" in labels()
    assert Proposal.objects.get().state == "APPROVED"


def test_what_was_rejected_or_is_too_old_is_not_done(token, decided, officers):  # noqa: F811
    rejected, late = decided(Action.CREATE_KEY, NEW), decided(Action.CREATE_KEY, "mac-3")
    decisions.reject(rejected, author=author(officers[0]))
    Proposal.objects.filter(pk=late).update(expires_at=clock.now())

    for proposal in (rejected, late, 0):
        with pytest.raises(ProposalOverError):
            carry_out(proposal)

    assert not {NEW, "mac-3"} & labels()


def test_what_is_done_while_somebody_rejects_it_is_told_all_the_same(
    token,  # noqa: F811
    decided,
    officers,
    monkeypatch,
):
    proposal = decided(Action.CREATE_KEY, NEW)
    create = ceremony.create_key

    def create_meanwhile(label):
        decisions.reject(proposal, author=author(officers[0]))
        return create(label)

    monkeypatch.setattr(ceremony, "create_key", create_meanwhile)
    with pytest.raises(ProposalOverError):
        carry_out(proposal)

    assert NEW in labels()
    last = AuditEntry.objects.order_by("sequence").last()
    assert (last.action, last.target, last.detail["made"]) == ("proposal_overtaken", NEW, 1)
    assert Proposal.objects.get().state == "REJECTED"


def test_what_was_begun_in_time_is_done_though_its_time_ends_meanwhile(token, decided, monkeypatch):  # noqa: F811
    proposal = decided(Action.CREATE_KEY, NEW)
    create = ceremony.create_key

    def create_slowly(label):
        Proposal.objects.update(expires_at=clock.now())
        return create(label)

    monkeypatch.setattr(ceremony, "create_key", create_slowly)

    carry_out(proposal)

    assert Proposal.objects.get().state == "DONE"


@pytest.mark.parametrize(
    ("action", "label"),
    [
        (Action.CREATE_KEY, "nonsense"),
        (Action.CREATE_KEY, "host-mac-1"),
        (Action.IMPORT_KEY, "mac-2"),
    ],
)
def test_a_key_that_cannot_be_is_not_proposed(officers, action, label):
    with pytest.raises(SubjectUnknownError):
        key_ceremony.propose(action, label, author=author(officers[0]), content_digest="0" * 64)

    assert not Proposal.objects.exists()


def test_the_same_is_proposed_once_at_a_time(officers):
    key_ceremony.propose(Action.CREATE_KEY, NEW, author=author(officers[0]))

    with pytest.raises(NothingChangesError):
        key_ceremony.propose(Action.CREATE_KEY, NEW, author=author(officers[1]))


def test_where_keys_need_two_officers_nobody_makes_one_at_the_console(token, settings):  # noqa: F811
    settings.HSM_KEYS_BY_CEREMONY = True

    for arguments in (["create", NEW], ["import-host"]):
        with pytest.raises(CommandError, match="alone"):
            call_command("hsm", *arguments)

    assert NEW not in labels()


def test_two_officers_decide_in_their_browsers_and_the_console_does_it(token):  # noqa: F811
    one, other = make_operator(roles.SECURITY_OFFICER), make_operator(roles.SECURITY_OFFICER)
    page = reverse("admin:operators_proposal_changelist")
    Form(one.client, f"{page}propose/").change(action="CREATE_KEY", label=NEW)
    proposal = Proposal.objects.get()

    own = Form(one.client, f"{page}{proposal.pk}/approve/").change()
    assert own.status_code == 403
    Form(other.client, f"{page}{proposal.pk}/approve/").change()
    said = io.StringIO()
    call_command("key_ceremony", "carry-out", str(proposal.pk), stdout=said)
    call_command("key_ceremony", "list", stdout=said)

    assert NEW in labels()
    assert f"DONE  by {one.operator.staff_number}" in said.getvalue()
    with pytest.raises(CommandError, match="proposal_over"):
        call_command("key_ceremony", "carry-out", str(proposal.pk))


def test_who_approves_is_shown_the_bytes_the_day_and_the_reason(officers):
    browser = make_operator(roles.SECURITY_OFFICER).client
    page = reverse("admin:operators_proposal_changelist")
    digest, day = "AB" * 32, "2030-01-01T10:00"
    form = Form(browser, f"{page}propose/")

    asked = [
        form.look(action="IMPORT_KEY", label="host-mac-1", content_digest=digest),
        form.look(action="DESTROY_KEY", label=NEW, ends_at=day),
    ]
    taken = key_ceremony.propose(
        Action.IMPORT_KEY,
        "host-mac-1",
        author=author(officers[0]),
        content_digest=digest.lower(),
        ends_at=None,
    )
    shown = Form(browser, f"{page}{taken.pk}/approve/").look().content.decode()

    assert digest.lower() in asked[0].content.decode()
    assert "01 Jan 2030, 10:00 IST" in asked[1].content.decode()
    assert digest.lower() in shown
    assert taken.reason in shown


@pytest.mark.parametrize("role", [roles.AUDITOR, roles.OPERATIONS, roles.RISK, roles.PLATFORM])
def test_nobody_else_proposes_or_decides(role, officers):
    made = key_ceremony.propose(Action.CREATE_KEY, NEW, author=author(officers[0]))
    browser = make_operator(role).client
    page = reverse("admin:operators_proposal_changelist")

    assert browser.get(f"{page}propose/").status_code == 403
    assert browser.get(f"{page}{made.pk}/approve/").status_code == 403


def test_a_digest_and_a_day_belong_to_their_own_ceremonies():
    browser = make_operator(roles.SECURITY_OFFICER).client
    form = Form(browser, f"{reverse('admin:operators_proposal_changelist')}propose/")

    answers = [
        form.look(action="IMPORT_KEY", label="host-mac-1"),
        form.look(action="CREATE_KEY", label=NEW, content_digest="0" * 64),
        form.look(action="CREATE_KEY", label=NEW, ends_at="2030-01-01T10:00"),
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert not Proposal.objects.exists()
