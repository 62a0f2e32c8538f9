"""Money is exact, reads only what UPI writes, and shows lakh and crore."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.money import Money


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_an_amount_survives_the_wire(paise):
    assert Money.from_rupees(Money(paise).as_rupees()) == Money(paise)


@pytest.mark.parametrize(
    "text",
    ["1.001", "1", "1.", ".50", "-1.00", "+5.00", " 5.00", "5.00\n", "1e2", "1_000.00", "00.10",
     "１００.００", "١٠.٠٠", "NaN", "Infinity", "", "10.0<!---->0", "\ud800",
     "99999999999999999.00"],
)  # fmt: skip
def test_anything_but_rupees_with_two_decimals_is_refused(text):
    with pytest.raises(ValueError, match="two decimals"):
        Money.from_rupees(text)


@pytest.mark.parametrize(
    ("paise", "shown"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99_999, "₹999.99"),
        (100_000, "₹1,000.00"),
        (12_345_678, "₹1,23,456.78"),
        (1_234_567_890, "₹1,23,45,678.90"),
        (-12_345_678, "-₹1,23,456.78"),
    ],
)
def test_money_is_shown_in_lakh_and_crore(paise, shown):
    assert Money(paise).display() == shown


@given(st.integers(), st.integers())
def test_sums_are_exact(left, right):
    assert Money(left) + Money(right) - Money(right) == Money(left)


@pytest.mark.parametrize("paise", [1.0, "1", True, None])
def test_paise_are_whole(paise):
    with pytest.raises(AssertionError):
        Money(paise)
