"""Debian's xmlsec1 and we agree on what is signed; the long run is `soak_signatures`."""

from pathlib import Path

import pytest

from tests.upi import soak_signatures
from tests.upi.soak_signatures import Tally

SAMPLE = 20


@pytest.mark.skipif(
    not Path(soak_signatures.PROGRAM).exists(), reason="the program xmlsec1 is not installed"
)
def test_what_either_signs_the_other_verifies_and_with_one_byte_changed_refuses():
    assert soak_signatures.run(SAMPLE) == Tally(SAMPLE, SAMPLE, SAMPLE, SAMPLE)
