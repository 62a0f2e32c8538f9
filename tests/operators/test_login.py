"""The back office's door: two factors, few tries, no hints."""

import pytest
from django.db import connection
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.operators.models import AuditEntry, LoginGuard, Operator
from apps.operators.services import guard
from tests.operators.factory import (
    PASSWORD,
    code_of,
    enrolled_device,
    make_account,
    make_operator,
)

pytestmark = pytest.mark.django_db


def log_in(name: str, password: str = PASSWORD, code: str = "", client: Client | None = None):
    return (client or Client()).post(
        "/admin/login/", {"username": name, "password": password, "code": code}
    )


def is_inside(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


@pytest.mark.parametrize("name", ["{0.email}", "{0.staff_number}", "{0.email} "])
def test_an_operator_logs_in_with_password_and_code(name):
    operator = make_account("Auditor")
    device = enrolled_device(operator)
    client = Client()

    answer = log_in(name.format(operator).upper(), code=code_of(device), client=client)

    assert answer.headers["Location"] == "/admin/"
    assert is_inside(client)
    assert AuditEntry.objects.get().action == "login"
    assert not LoginGuard.objects.exists()


@pytest.mark.parametrize(
    ("_case", "password", "code"),
    [
        ("no code",           PASSWORD, ""),
        ("another code",      PASSWORD, "000000"),
        ("a letter code",     PASSWORD, "notacode"),
        ("other digits",      PASSWORD, "٣٣٣٣٣٣"),
        ("another password",  "wrong",  "right"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_never_said(_case, password, code):
    operator = make_account("Auditor")
    device = enrolled_device(operator)
    client = Client()

    answer = log_in(
        operator.email, password, code_of(device) if code == "right" else code, client=client
    )

    assert "not right" in answer.content.decode()
    assert not is_inside(client)
    assert [entry.action for entry in AuditEntry.objects.all()] == ["login_failed"]


def test_an_unknown_name_gets_the_same_answer_and_its_text_is_not_kept():
    known = log_in(make_account().email, "wrong").content.decode()
    unknown = log_in("hunter2-typed-in-the-wrong-field", "wrong").content.decode()

    assert "not right" in known
    assert "not right" in unknown
    assert "hunter2" not in str(list(AuditEntry.objects.values()))


def test_a_code_is_taken_once():
    operator = make_account("Auditor")
    code = code_of(enrolled_device(operator))

    first, second = Client(), Client()
    log_in(operator.email, code=code, client=first)
    log_in(operator.email, code=code, client=second)

    assert is_inside(first)
    assert not is_inside(second)


def test_a_recovery_code_opens_once():
    operator = make_account("Auditor")
    enrolled_device(operator)

    first, second = Client(), Client()
    log_in(operator.email, code="RECOVER1", client=first)
    log_in(operator.email, code="recover1", client=second)

    assert is_inside(first)
    assert not is_inside(second)


def test_after_five_failures_the_right_password_waits_too():
    operator = make_account("Auditor")
    device = enrolled_device(operator)

    for _ in range(guard.FREE_FAILURES):
        log_in(operator.email, "wrong")
    client = Client()
    answer = log_in(operator.staff_number, code=code_of(device), client=client)

    assert "try again later" in answer.content.decode()
    assert not is_inside(client)
    assert AuditEntry.objects.order_by("sequence").last().action == "login_locked"


def test_a_lock_ends_and_the_next_failure_locks_for_longer():
    operator = make_account("Auditor")
    for _ in range(guard.FREE_FAILURES):
        log_in(operator.email, "wrong")
    first = _locked_seconds()

    LoginGuard.objects.update(locked_until=None)
    log_in(operator.email, "wrong")

    assert 55 < first <= 60
    assert 115 < _locked_seconds() <= 120


def test_a_password_alone_leads_to_enrolment_and_nowhere_else():
    operator = make_account("Auditor")
    client = Client()

    log_in(operator.email, client=client)

    assert client.get("/admin/operators/auditentry/").status_code == 302
    assert client.get("/admin/login/").headers["Location"] == "/admin/enrol/"
    assert "data:image/svg+xml" in client.get("/admin/enrol/").content.decode()


def test_the_first_code_enrols_a_device_and_shows_recovery_codes():
    operator = make_account("Auditor")
    client = Client()
    log_in(operator.email, client=client)
    client.get("/admin/enrol/")
    device = TOTPDevice.objects.get(user=operator)
    before = client.session.session_key

    refused = client.post("/admin/enrol/", {"code": "000000"})
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    page = client.post("/admin/enrol/", {"code": code_of(device)})

    assert "not right" in refused.content.decode()
    codes = page.context["codes"]
    assert len(set(codes)) == 10
    assert is_inside(client)
    assert client.session.session_key != before
    other = Client()
    log_in(operator.email, code=codes[0], client=other)
    assert is_inside(other)


def test_whoever_has_a_device_enrols_no_other():
    staff = make_operator("Auditor")

    assert staff.client.get("/admin/enrol/").status_code == 302
    assert staff.client.post("/admin/enrol/", {"code": "123456"}).status_code == 302
    assert TOTPDevice.objects.count() == 1


def test_an_operator_made_inactive_is_out_at_the_next_request():
    staff = make_operator("Auditor")
    assert is_inside(staff.client)

    Operator.objects.update(is_active=False)

    assert not is_inside(staff.client)


def test_logging_out_is_written_down():
    staff = make_operator("Auditor")

    staff.client.post("/admin/logout/")

    assert not is_inside(staff.client)
    assert [entry.action for entry in AuditEntry.objects.order_by("sequence")] == [
        "login",
        "logout",
    ]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_the_login_page_sends_nobody_elsewhere(target):
    operator = make_account("Auditor")
    device = enrolled_device(operator)

    answer = Client().post(
        f"/admin/login/?next={target}",
        {"username": operator.email, "password": PASSWORD, "code": code_of(device), "next": target},
    )

    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]


def _locked_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM locked_until - clock_timestamp()) FROM operators_loginguard"
        )
        return float(cursor.fetchone()[0])


def test_a_session_ends_with_the_working_day_however_busy_it_is(settings):
    staff = make_operator("Auditor")
    assert is_inside(staff.client)

    settings.BACKOFFICE_SESSION_HOURS_MAX = 0

    assert not is_inside(staff.client)


def test_the_session_cookie_goes_nowhere_else():
    cookie = make_operator("Auditor").client.cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["max-age"] == 1800


def test_a_changed_password_is_written_down_and_ends_other_sessions():
    staff = make_operator("Auditor")
    other = Client()
    TOTPDevice.objects.update(last_t=-1)
    device = TOTPDevice.objects.get()
    log_in(staff.operator.email, code=code_of(device), client=other)
    assert is_inside(other)

    answer = staff.client.post(
        "/admin/password_change/",
        {
            "old_password": PASSWORD,
            "new_password1": "quite another phrase",
            "new_password2": "quite another phrase",
        },
    )

    assert answer.status_code == 302
    assert AuditEntry.objects.order_by("sequence").last().action == "password_changed"
    assert is_inside(staff.client)
    assert not is_inside(other)
