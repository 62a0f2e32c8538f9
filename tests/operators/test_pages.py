"""The back office's pages: each role sees its own, and no page goes round a rule."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core import checks
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.common import clock
from apps.messaging.models import DeadLetter
from apps.operators import roles
from apps.operators.models import AuditEntry, Operator, Proposal
from apps.operators.services import audit
from tests.operators.change import REASON, Form
from tests.operators.factory import PASSWORD, make_account, make_operator

pytestmark = pytest.mark.django_db

STAFF = "/admin/operators/operator/"
LOG = "/admin/operators/auditentry/"
PROPOSALS = "/admin/operators/proposal/"


def new_operator(**changes: str) -> dict[str, str]:
    return {
        "full_name": "Meera Iyer",
        "email": "meera@exbank.example",
        "staff_number": "S77777",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "usable_password": "true",
        **changes,
    }


@pytest.mark.parametrize(
    ("role", "staff", "log"),
    [
        (roles.AUDITOR,          200, 200),
        (roles.OPERATIONS,       403, 403),
        (roles.SECURITY_OFFICER, 200, 200),
        (roles.PLATFORM,         403, 403),
    ],
)  # fmt: skip
def test_each_role_sees_its_own_pages(role, staff, log):
    browser = make_operator(role).client

    assert browser.get(STAFF).status_code == staff
    assert browser.get(LOG).status_code == log
    assert browser.get("/admin/").status_code == 200


def test_every_role_of_the_code_is_a_group_and_every_group_is_a_role():
    assert set(Group.objects.values_list("name", flat=True)) == set(roles.ROLES)


def test_a_role_that_only_reads_changes_nothing():
    other = make_account("Platform")
    browser = make_operator(roles.AUDITOR).client

    changed = browser.post(f"{STAFF}{other.pk}/change/", new_operator())
    added = browser.post(f"{STAFF}add/", new_operator())

    assert (changed.status_code, added.status_code) == (403, 403)
    assert Operator.objects.get(pk=other.pk).email == other.email
    assert Operator.objects.count() == 2


def test_the_security_officer_adds_an_operator_and_it_is_written_down():
    staff = make_operator(roles.SECURITY_OFFICER)

    answer = staff.client.post(f"{STAFF}add/", new_operator(is_superuser="on"))

    made = Operator.objects.get(email="meera@exbank.example")
    assert answer.status_code == 302
    assert not made.is_superuser
    entry = AuditEntry.objects.order_by("sequence").last()
    assert (entry.actor, entry.action, entry.target) == (
        staff.operator.email,
        "operator_added",
        "S77777",
    )
    audit.verify()


def test_the_security_officer_changes_roles_and_it_is_written_down():
    staff = make_operator(roles.SECURITY_OFFICER)
    other = make_account(roles.AUDITOR)
    platform = Group.objects.get(name=roles.PLATFORM)

    answer = staff.client.post(
        f"{STAFF}{other.pk}/change/",
        {
            "full_name": other.full_name,
            "email": other.email,
            "staff_number": other.staff_number,
            "is_active": "on",
            "groups": [platform.pk],
        },
    )

    assert answer.status_code == 302
    assert [group.name for group in other.groups.all()] == [roles.PLATFORM]
    entry = AuditEntry.objects.order_by("sequence").last()
    assert entry.action == "operator_changed"
    assert entry.detail["roles"] == [roles.PLATFORM]


def test_nobody_gives_themselves_a_role():
    staff = make_operator(roles.SECURITY_OFFICER)
    every_group = [group.pk for group in Group.objects.all()]

    answer = staff.client.post(
        f"{STAFF}{staff.operator.pk}/change/",
        {
            "full_name": "x",
            "email": staff.operator.email,
            "staff_number": staff.operator.staff_number,
            "is_active": "on",
            "groups": every_group,
        },
    )

    assert answer.status_code == 403
    assert staff.operator.groups.count() == 1


def test_nobody_is_deleted():
    staff = make_operator(roles.SECURITY_OFFICER, is_superuser=True)
    other = make_account()

    answer = staff.client.post(f"{STAFF}{other.pk}/delete/", {"post": "yes"})
    staff.client.post(
        STAFF, {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    )

    assert answer.status_code == 403
    assert Operator.objects.filter(pk=other.pk).exists()


def test_a_device_is_forgotten_by_two_officers_and_enrolled_anew():
    staff, second = make_operator(roles.SECURITY_OFFICER), make_operator(roles.SECURITY_OFFICER)
    other = make_operator(roles.AUDITOR)
    Form(staff.client, f"{STAFF}{other.operator.pk}/forget-second-factor/").change()
    page = f"{PROPOSALS}{Proposal.objects.get().pk}/approve/"

    own = Form(staff.client, page).change()
    assert own.status_code == 403
    assert TOTPDevice.objects.filter(user=other.operator).exists()
    Form(second.client, page).change()

    assert Proposal.objects.get().state == "DONE"
    logged = AuditEntry.objects.filter(target=other.operator.staff_number).order_by("sequence")
    assert list(logged.values_list("action", flat=True)) == [
        *("proposal_made", "proposal_approved", "second_factor_forgotten", "proposal_done")
    ]
    assert not TOTPDevice.objects.filter(user=other.operator).exists()
    assert other.client.get("/admin/").status_code == 302


def test_nobody_proposes_to_forget_their_own_device():
    staff = make_operator(roles.SECURITY_OFFICER)

    answer = staff.client.post(
        f"{STAFF}{staff.operator.pk}/forget-second-factor/", {"reason": REASON}
    )

    assert answer.status_code == 403
    assert not Proposal.objects.exists()
    assert TOTPDevice.objects.filter(user=staff.operator).exists()


@pytest.mark.parametrize("model", ["otp_totp/totpdevice", "otp_static/staticdevice", "auth/group"])
def test_pages_that_would_show_secrets_do_not_exist(model):
    browser = make_operator(is_superuser=True).client

    assert browser.get(f"/admin/{model}/").status_code == 404


def test_a_search_by_password_is_refused():
    browser = make_operator(roles.AUDITOR).client

    answer = browser.get(f"{STAFF}?password__startswith=a")

    assert answer.status_code in {302, 400}


def test_every_page_of_every_app_opens_for_a_superuser():
    browser = make_operator(is_superuser=True).client

    for model, page in admin.site._registry.items():
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert browser.get(url).status_code == 200, url
        if page.search_fields:
            assert browser.get(url, {"q": "nothing"}).status_code == 200, url


def test_pages_are_checked_before_there_is_a_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert [each for each in checks.run_checks() if each.is_serious()] == []


def test_pages_may_not_be_framed():
    assert make_operator().client.get("/admin/").headers["X-Frame-Options"] == "DENY"


def test_the_first_page_shows_each_role_what_concerns_it():
    auditor = make_operator(roles.AUDITOR).client.get("/admin/")
    platform = make_operator(roles.PLATFORM).client.get("/admin/")
    nobody = make_operator().client.get("/admin/")

    titles = [figure.title for figure in auditor.context["figures"]]
    assert titles == [
        "Unknown or parked",
        "Declined today",
        "Unmatched answers",
        "Sum of the books",
        "Switch",
        "Dead letters",
        "Oldest fact unpublished",
    ]
    assert all(figure.is_good for figure in auditor.context["figures"])
    assert [figure.title for figure in platform.context["figures"]] == titles[5:]
    assert nobody.context["figures"] == []
    assert "ask the security officer" in nobody.content.decode()


def test_the_first_page_warns_of_what_is_parked():
    DeadLetter.objects.create(source="test", item_id="1", reason="x", owner="operations")

    page = make_operator(roles.PLATFORM).client.get("/admin/")

    letters = page.context["figures"][0]
    assert (letters.value, letters.is_good) == ("1", False)


def test_times_are_indian_day_first_and_to_the_second():
    staff = make_operator(roles.AUDITOR)
    entry = AuditEntry.objects.get()

    page = staff.client.get(LOG).content.decode()

    assert f"{entry.at.astimezone(clock.IST):%-d %b %Y, %H:%M:%S}" in page
