"""`manage.py hsm`, as a person uses it."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from hsm import ceremony
from hsm.configuration import configuration


def hsm(*arguments):
    said, complained = io.StringIO(), io.StringIO()
    call_command("hsm", *arguments, stdout=said, stderr=complained)
    return said.getvalue().splitlines() + complained.getvalue().splitlines()


def test_a_first_start_makes_token_and_keys_and_a_second_changes_nothing(empty_folder):
    assert hsm("init") == ["hsm-tests: made"]
    assert hsm("create") == [
        "xml-signing-1: made",
        "issuer-20261101: made",
        "pin-verification-1: made",
        "mac-1: made",
        "uri-ec-1: made",
        "uri-rsa-1: made",
    ]
    before = hsm("list")

    assert hsm("init") == ["hsm-tests: there already"]
    assert set(hsm("create")) == {f"{label}: there already" for label in configuration().key_labels}
    assert hsm("list") == before
    assert hsm("check") == ["every key fits"]


def test_a_key_is_made_by_its_label(token):
    assert hsm("create", "issuer-20271101", "mac-1") == [
        "issuer-20271101: made",
        "mac-1: there already",
    ]


def test_a_list_has_a_paragraph_for_each_key(token):
    lines = hsm("list")

    at = lines.index("pin-verification-1  pin verification  SECRET_KEY")
    assert lines[at + 1] == "    uses         WRAP"
    assert lines[at + 2].startswith("    check value  ")
    assert lines[at + 3].startswith("    attributes   PRIVATE, SENSITIVE, not EXTRACTABLE")
    assert len(lines) == 10 * 4


def test_a_check_that_finds_something_fails(token):
    with override_settings(HSM_MAC_KEY="mac-9"):
        configuration.cache_clear()
        complained = io.StringIO()
        with pytest.raises(CommandError, match="1 faults"):
            call_command("hsm", "check", stderr=complained)

    assert "mac-9: missing" in complained.getvalue()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["create", "nonsense"], "hsm_key_unfit"), (["list"], "hsm_unavailable")],
)
def test_an_error_is_one_line_with_its_code(token, arguments, code):
    ceremony.list_keys()
    token.remove()

    with pytest.raises(CommandError, match=code):
        hsm(*arguments)


def test_an_action_must_be_named(token):
    with pytest.raises(CommandError, match="required: action"):
        hsm()
