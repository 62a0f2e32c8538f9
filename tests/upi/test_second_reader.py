"""Two readers of the wire that share nothing read the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.upi import codec
from tests.upi import every_message, second_reader, wire


@pytest.mark.parametrize("name", wire.unsigned_vectors())
def test_both_readers_read_the_same_in_a_golden_message(name):
    message = codec.decode(wire.vector(name))

    assert second_reader.read(wire.vector(name)) == (message.api, second_reader.facts_of(message))


@pytest.mark.parametrize("api", every_message.BY_API)
@settings(max_examples=12, derandomize=True, deadline=None)
@given(data=st.data())
def test_both_readers_read_what_was_written(api, data):
    message = data.draw(every_message.BY_API[api])

    body = codec.encode(message)

    facts = second_reader.facts_of(message)
    assert second_reader.read(body) == (api, facts)
    assert second_reader.facts_of(codec.decode(body)) == facts
