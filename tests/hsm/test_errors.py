"""The codes of what can go wrong."""

from hsm import errors


def test_every_error_has_a_code_of_its_own():
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.HsmError)
    ]

    assert len({error.code for error in found}) == len(found)
    assert {error.code for error in found} == {
        "hsm_error",
        "hsm_unavailable",
        "hsm_key_missing",
        "hsm_key_unfit",
        "pin_block_malformed",
        "pin_block_refused",
    }
