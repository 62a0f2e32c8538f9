"""docs/iso8583.md names a test for each case of a host, and every test it names exists."""

import re

from tests.payments.test_document import NAMED, ROOT, names_in

TEXT = (ROOT / "docs/iso8583.md").read_text()
CASE = re.compile(r"^\| (B[0-9]{2}) \|.*$", re.MULTILINE)


def test_every_case_is_in_the_document_and_names_a_test():
    cases = {row[1]: NAMED.findall(row[0]) for row in CASE.finditer(TEXT)}

    assert list(cases) == [f"B{number:02}" for number in range(1, 21)]
    assert [case for case, named in cases.items() if not named] == []


def test_every_test_that_the_document_names_exists():
    named = NAMED.findall(TEXT)

    assert named
    assert [each for each in named if each[1] not in names_in(ROOT / "tests" / each[0])] == []
