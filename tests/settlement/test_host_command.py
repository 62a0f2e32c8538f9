"""The command and the job take a day of the host, print or log what differs, and say so."""

import io
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from apps.common import clock
from apps.settlement import host_selectors
from apps.settlement.errors import HostFileUnavailableError
from apps.settlement.models import HostFile
from apps.settlement.services import host_days
from tests.settlement.host_days import DAY, line, write


def yesterday():
    return clock.business_date(clock.now()) - DAY


def run(**options):
    out = io.StringIO()
    call_command("reconcile_core_banking", stdout=out, **options)
    return out.getvalue()


@pytest.mark.own_books
@pytest.mark.usefixtures("committed")
def test_where_our_books_are_core_banking_there_is_no_host():
    assert "there is no host" in run()
    assert not HostFile.objects.exists()
    assert not host_selectors.host_file_is_due()


def test_the_command_fetches_yesterday_and_is_content_with_a_day_that_agrees(host):
    told = run()

    assert f"{yesterday()}: 0 rows in the file, 0 matched" in told
    assert told.rstrip().endswith("no breaks")
    assert HostFile.objects.get().business_date == yesterday()
    assert run() == told


def test_the_command_prints_breaks_as_json_and_ends_with_one(host, tmp_path):
    file = tmp_path / "day.csv"
    file.write_bytes(write(yesterday(), line(yesterday())))
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile_core_banking", dayfile=file, json=True, stdout=out)

    assert ended.value.code == 1
    found = json.loads(out.getvalue())
    assert [(each["kind"], each["exposure_paise"]) for each in found["breaks"]] == [
        ("ONLY_AT_HOST", 14950)
    ]
    assert "001234567890" not in out.getvalue()


@pytest.mark.parametrize(
    ("code", "days_ago", "content"),
    [
        ("host_file_invalid",     1, b"kind\r\n"),
        ("host_file_differs",     2, None),
        ("host_day_open",         0, None),
        ("host_file_unavailable", 1, None),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_by_a_stable_code(host, tmp_path, code, days_ago, content):
    date = yesterday() + DAY - days_ago * DAY
    file = tmp_path / "day.csv"
    if code == "host_file_differs":
        file.write_bytes(write(date))
        run(date=date, dayfile=file)
        content = write(date, line(date))
    if content:
        file.write_bytes(content)
    before = list(HostFile.objects.values())

    with pytest.raises(CommandError) as refused:
        run(date=date, dayfile=None if code == "host_day_open" else file)

    assert refused.value.returncode == 2
    assert str(refused.value).startswith(f"{code}: ")
    assert list(HostFile.objects.values()) == before


def test_the_job_takes_each_day_that_was_missed_and_then_has_nothing_to_do(host):
    first = yesterday() - 2 * DAY
    run(date=first)
    assert host_selectors.host_file_is_due()

    assert host_days.take_due_days(now=clock.now()) == 2

    taken = HostFile.objects.order_by("business_date").values_list("business_date", flat=True)
    assert list(taken) == [first, first + DAY, yesterday()]
    cache.delete(host_selectors.FETCH_MARK)
    assert not host_selectors.host_file_is_due()
    assert host_days.take_due_days(now=clock.now()) == 0


def test_a_host_that_gives_no_file_is_asked_again_only_after_a_while(host, settings):
    settings.CORE_BANKING_FILES_URL = "http://127.0.0.1:9/dayfile"

    assert host_days.take_due_days(now=clock.now()) == 0

    assert not host_selectors.host_file_is_due()
    cache.delete(host_selectors.FETCH_MARK)
    assert host_selectors.host_file_is_due()
    assert not HostFile.objects.exists()


class Shelf(BaseHTTPRequestHandler):
    """Gives any file to whoever proved who they are."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def https_url(host):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=host.tls / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(host.tls / "host.pem", host.tls / "host.key")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/files"
    server.shutdown()
    server.server_close()
    thread.join()


def test_by_https_both_sides_prove_who_they_are(settings, https_url):
    settings.CORE_BANKING_FILES_URL = https_url

    assert host_days.fetch_host_file(yesterday()) == f"/files/{yesterday()}".encode()

    nobody = settings.CORE_BANKING["OPTIONS"] | {"tls_ca": ""}
    settings.CORE_BANKING = settings.CORE_BANKING | {"OPTIONS": nobody}
    with pytest.raises(HostFileUnavailableError):
        host_days.fetch_host_file(yesterday())
