"""What UPI's codes mean: complete, agreeing with the published classes, and said to people."""

import ast
import csv
import re
from pathlib import Path

import pytest

from apps.upi.codec import grammar
from apps.upi.response_codes import (
    REQUEST,
    Fault,
    Kind,
    Language,
    Table,
    code_rows,
    explain,
    inner_code,
    language_of,
)
from apps.upi.response_codes.explaining import _words

ROOT = Path(__file__).resolve().parents[2]
CLASSES = Path(__file__).parent / "vectors" / "response_code_classes.csv"
KINDS = {"TD": Kind.TECHNICAL, "BD": Kind.BUSINESS, "-": Kind.NONE, "NA": Kind.INNER}
SIDES = {"ANY", "REMITTER", "BENEFICIARY", "PAYER_PSP", "PAYEE_PSP", "SWITCH"}
# A code with a digit is one wherever it stands; two letters are where legs are answered.
_HAS_DIGITS = re.compile(r"[A-Z][0-9]|[A-Z][0-9]{2}|[A-Z]{2}[0-9]{1,2}")
_ANSWERING = ("payments", "accounts", "risk", "settlement")
_TWO_LETTERS = re.compile(r"[A-Z]{2}")
_LATIN = re.compile(r"[A-Za-z]{2,}")
# Latin words that Hindi readers know by these letters.
_LATIN_IN_HINDI = {"UPI", "PIN", "OTP", "ATM", "SMS", "name", "bank"}


def published() -> list[tuple[Table, str, str]]:
    with CLASSES.open(encoding="utf-8", newline="") as file:
        return [
            (Table(row["table"]), row["class"], code)
            for row in csv.DictReader(file)
            for code in row["codes"].split()
        ]


def test_every_published_code_is_in_the_table_with_its_class():
    known = code_rows()

    assert len(published()) == 448
    differing = [
        (table, code, kind)
        for table, kind, code in published()
        if (table, code) not in known or known[table, code].kind is not KINDS[kind]
    ]
    assert differing == []


def test_every_row_is_complete():
    keys = {key for key, _ in _words()}

    broken = [
        (row.table, row.code)
        for row in code_rows().values()
        if row.side not in SIDES
        or not row.meaning
        or not row.messages
        or row.explanation not in keys
        or (row.is_retryable and row.kind is Kind.BUSINESS)
    ]
    assert broken == []


def test_every_code_is_explained_in_both_languages():
    for words in _words().values():
        assert all((words.reason, words.title, words.explanation, words.next_action))
        assert re.fullmatch(r"[a-z_]+", words.reason)
    for (key, language), words in _words().items():
        sentences = f"{words.title} {words.explanation} {words.next_action}"
        if language is Language.HINDI:
            assert set(_LATIN.findall(sentences)) <= _LATIN_IN_HINDI, key
            assert words.explanation.endswith("।"), key
            assert words.next_action.endswith("।"), key
        else:
            assert sentences.isascii(), key
            assert words.explanation.endswith("."), key
            assert words.next_action.endswith("."), key


def test_no_explanation_is_left_that_no_code_uses():
    used = {row.explanation for row in code_rows().values()} | {"declined"}

    assert {key for key, _ in _words()} == used


def texts_in(folder: Path) -> set[str]:
    return {
        node.value
        for file in folder.rglob("*.py")
        if "migrations" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_that_the_platform_can_say_is_in_the_table():
    known = {code for _, code in code_rows()}

    said = {text for text in texts_in(ROOT / "apps") if _HAS_DIGITS.fullmatch(text)}
    for app in _ANSWERING:
        said |= {text for text in texts_in(ROOT / "apps" / app) if _TWO_LETTERS.fullmatch(text)}
    said -= {"TD", "BD", "NA"}  # the classes themselves, and what the wire says for nothing
    # Meta messages name the faults of the codec by other letters.
    said |= {grammar.meta_code(code) for code in said if re.fullmatch("[A-Z][0-9]{2}", code)}

    assert len(said) > 150
    assert said - known == set()


def test_the_table_cannot_be_changed():
    row = next(iter(code_rows().values()))

    with pytest.raises(TypeError):
        code_rows()[Table.SWITCH, "U30"] = row
    with pytest.raises(AttributeError):
        row.kind = Kind.NONE


@pytest.mark.parametrize(
    ("code", "inner", "kind", "reason", "fault"),
    [
        ("Z9",         "Z9",  "BD", "insufficient_funds",      Fault.CUSTOMER),
        ("U30~Z9",     "Z9",  "BD", "insufficient_funds",      Fault.CUSTOMER),
        ("U30~Z9|Z9",  "Z9",  "BD", "insufficient_funds",      Fault.CUSTOMER),
        ("U30|Z9",     "U30", "",   "payer_bank_declined",     Fault.PAYER_BANK),
        ("U30",        "U30", "",   "payer_bank_declined",     Fault.PAYER_BANK),
        ("U30~",       "U30", "",   "payer_bank_declined",     Fault.PAYER_BANK),
        ("U30~Q0",     "Q0",  "",   "payer_bank_declined",     Fault.PAYER_BANK),
        ("U31~XI",     "XI",  "BD", "payee_account_unavailable", Fault.PAYEE),
        ("U31~UB",     "UB",  "TD", "payee_bank_unavailable",  Fault.PAYEE_BANK),
        ("U19~ZA",     "ZA",  "BD", "declined_by_customer",    Fault.CUSTOMER),
        ("U30~HS",     "HS",  "TD", "pin_unverifiable",        Fault.PAYER_BANK),
        ("U68",        "U68", "TD", "payee_bank_timeout",      Fault.PAYEE_BANK),
        ("RB",         "RB",  "TD", "deemed",                  Fault.PAYEE_BANK),
        ("U70",        "U70", "TD", "late_answer",             Fault.NETWORK),
        ("U31~LC",     "LC",  "BD", "payee_bank_declined",     Fault.PAYEE_BANK),
        ("U31~YH",     "YH",  "BD", "merchant_unavailable",    Fault.MERCHANT),
        ("U31~X7",     "X7",  "TD", "merchant_unavailable",    Fault.MERCHANT),
        ("U30~K1",     "K1",  "BD", "declined_for_safety",     Fault.PAYER_BANK),
        ("U10",        "U10", "BD", "network_declined",        Fault.NETWORK),
        ("",           "",    "",   "declined",                Fault.NETWORK),
        ("~",          "",    "",   "declined",                Fault.NETWORK),
        ("Q0~Q1|Q2",   "Q1",  "",   "declined",                Fault.NETWORK),
    ],
)  # fmt: skip
def test_the_inner_code_decides(code, inner, kind, reason, fault):
    explained = explain(code)

    assert inner_code(code) == inner
    assert (explained.code, explained.inner_code, explained.kind) == (code, inner, kind)
    assert (explained.reason, explained.fault) == (reason, fault)
    assert explained.title


@pytest.mark.parametrize("code", ["U01", "U35", "U36", "U38", "U39", "U42", "U70", "RB", "NO"])
def test_what_may_have_been_worked_is_never_called_retryable(code):
    assert not explain(code).is_retryable


def test_a_code_without_a_class_is_named_to_operators_too():
    assert explain("U30~Z9").for_operators() == "U30~Z9 (BD: Insufficient funds)"
    assert explain("RB").for_operators().startswith("RB (TD: ")
    assert explain("Q0").for_operators() == "Q0 (Not a code that we know)"
    assert explain("00").for_operators() == "00"


def test_a_code_means_what_its_table_says():
    assert explain("XH").reason == "payer_account_unavailable"
    assert explain("XH", tables=REQUEST).reason == "account_not_found"
    assert explain("LD").kind == "TD"
    assert explain("LD", tables=REQUEST).kind == "BD"


def test_an_explanation_is_in_the_language_asked_for():
    assert explain("ZM", Language.HINDI).title == "UPI PIN ग़लत था"
    assert explain("ZM", Language.ENGLISH).title == "The UPI PIN was wrong"
    assert explain("Q0", Language.HINDI).title == "भुगतान अस्वीकार हुआ"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("",                              Language.ENGLISH),
        ("hi",                            Language.HINDI),
        ("hi-IN,hi;q=0.9,en;q=0.8",       Language.HINDI),
        ("en-IN, hi;q=0.9",               Language.ENGLISH),
        ("en;q=0.3, hi;q=0.8",            Language.HINDI),
        ("ta, hi;q=0.5",                  Language.HINDI),
        ("ta",                            Language.ENGLISH),
        ("hi;q=0, en",                    Language.ENGLISH),
        ("*",                             Language.ENGLISH),
        ("hindi",                         Language.ENGLISH),
        ("\x00;;;q=,,,",                  Language.ENGLISH),
        ("hi," * 5000,                    Language.HINDI),
    ],
)  # fmt: skip
def test_the_language_is_the_one_the_client_prefers(header, language):
    assert language_of(header) is language
