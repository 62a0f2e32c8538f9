"""A VPA is read in one place, and only what is one passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.addresses import VpaAddress


@given(
    st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9.\-_]{0,60}@[a-zA-Z][a-zA-Z0-9.]{1,30}", fullmatch=True)
)
def test_an_address_is_the_same_in_any_case(text):
    assert VpaAddress.parse(text) == VpaAddress.parse(text.upper())
    assert str(VpaAddress.parse(text)) == text.lower()


@pytest.mark.parametrize(
    "text",
    ["", "@", "asha", "@exbank", "asha@", "a@b@c", "asha@exbank\n", " asha@exbank", "asha @exbank",
     "\u0430lice@okbank", "a" * 250 + "@exbank", "asha@ex bank", "-a@exbank", "as\u212aa@exbank"],
)  # fmt: skip
def test_what_only_looks_like_an_address_is_refused(text):
    with pytest.raises(ValueError, match="name@handle"):
        VpaAddress.parse(text)


@pytest.mark.parametrize(
    ("text", "branch"),
    [("001234567890@EXBK0000001.ifsc.npci", "EXBK0000001"), ("asha@exbank", ""),
     ("0012@EXBK1000001.ifsc.npci", ""), ("0012@exbk0000001.ifsc.npci.in", "")],
)  # fmt: skip
def test_an_address_may_name_the_account_of_a_branch(text, branch):
    assert VpaAddress.parse(text).branch == branch
