"""The process file: what is in ours, and what a wrong one says."""

import pytest

from deploy.local import process_file, routes
from deploy.local.process_file import PartPlan, ProcessFileError, Ready
from upi_platform.services import METRICS, SERVICES


def test_every_part_of_ours_can_be_filled_in():
    known = {f"PORT_{name.upper()}": "1" for name in process_file.load().ports}
    known |= {
        "PYTHON": "python",
        "LOCAL": "/tmp/local",
        "KEYS_DIRECTORY": "/tmp/keys",
        "UPI_TIMER_SCALE": "1",
    }

    filled = [process_file.expand(part, known) for part in process_file.load().parts]

    assert not [part for part in filled if "${" in " ".join(part.command)]


def test_every_service_is_run_by_a_part_of_ours():
    parts = process_file.load().parts
    served = [
        service
        for part in parts
        for service in part.environment.get("UPI_SERVICES", "").split(",")
        if service
    ]

    assert sorted(served) == sorted([*SERVICES, METRICS])


def test_chosen_parts_bring_what_they_need_in_order(tmp_path):
    path = tmp_path / "processes.toml"
    path.write_text(
        '[part.c]\ncommand = "c"\nneeds = ["b"]\n[part.b]\ncommand = "b"\nneeds = ["a"]\n'
        '[part.a]\ncommand = "a"\n[part.other]\ncommand = "other"\n'
    )

    chosen = process_file.load(path).chosen(["c"])

    assert [part.name for part in chosen] == ["a", "b", "c"]


def test_a_part_that_the_environment_does_not_ask_for_is_left_out_and_nobody_needs_it(tmp_path):
    path = tmp_path / "processes.toml"
    path.write_text(
        '[part.host]\ncommand = "host"\nwhen = { CORE_BANKING = "iso8583" }\n'
        '[part.api]\ncommand = "api"\nneeds = ["host"]\n'
    )
    given = process_file.load(path)

    asked_for = given.under({"CORE_BANKING": "iso8583"})
    left_out = given.under({"CORE_BANKING": "ledger"})

    assert [part.name for part in asked_for.chosen(["api"])] == ["host", "api"]
    assert [(part.name, part.needs) for part in left_out.parts] == [("api", ())]


@pytest.mark.parametrize(
    ("_case", "text", "sentence"),
    [
        ("table",   "[prats.a]",                                      "unknown tables: prats"),
        ("word",    "[part.a]\ncommand = 'a'\nneds = []",             "a: unknown words neds"),
        ("nothing", "[part.a]\nneeds = []",                           "a: there is no command"),
        ("sign",    "[part.a]\ncommand = 'a'\nready = {smoke = ''}",  "a: ready takes one of"),
        ("need",    "[part.a]\ncommand = 'a'\nneeds = ['b']",         "a needs b: unknown"),
        ("cycle",   "[part.a]\ncommand = 'a'\nneeds = ['a']",         "need each other: a → a"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_word_that_is_wrong(tmp_path, _case, text, sentence):
    path = tmp_path / "processes.toml"
    path.write_text(text)

    with pytest.raises(ProcessFileError, match=sentence):
        process_file.load(path)


def test_an_unknown_name_in_a_command_is_refused():
    part = PartPlan("a", ("run", "${PORT_NOWHERE}"), ready=Ready("tcp", "127.0.0.1:1"))

    with pytest.raises(ProcessFileError, match="part a: nothing is known of 'PORT_NOWHERE'"):
        process_file.expand(part, {})


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("/upi/ReqPay/2.0/urn:txnid:EXB1",    "backoffice"),
        ("/app/v1/payments",                  "payments"),
        ("/app/v1/payments/EXB1?wait=1",      "payments"),
        ("/app/v1/balance-enquiries/arq_1",   "balance"),
        ("/app/v1/vpas/resolution?address=a", "vpa"),
        ("/app/v1/sessions/challenges",       "accounts"),
        ("/app/v1/account-requests/arq_1",    "accounts"),
        ("/v1/orders/ord_1",                  "merchants"),
        ("/v1/payments?order=ord_1",          "payments"),
        ("/live/v1/payments/EXB1?wait=30",    "live"),
        ("/app/v1/paymentsx",                 "backoffice"),
        ("/admin/",                           "backoffice"),
        ("/",                                 "backoffice"),
    ],
)  # fmt: skip
def test_a_path_belongs_to_one_service(target, service):
    assert routes.service_of(target, routes.load()) == service


def test_every_service_but_the_receiver_has_a_path_and_every_path_a_service():
    assert {*routes.load().values(), "receiver"} == set(SERVICES)
