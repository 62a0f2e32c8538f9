"""The quick way to read an Ack says what the parser says, or leaves it to the parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import codec

OPEN = f'<upi:Ack xmlns:upi="{codec.NAMESPACE}"'
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(texts, texts, texts)
def test_what_the_switch_writes_is_read_back(api, message_id, code):
    body = codec.ack(api, message_id, code, "because")

    assert codec.ack_code(body, api, message_id) == code


@given(
    st.lists(st.tuples(st.sampled_from(["api", "err", "reqMsgId", "ts", "x"]), texts), max_size=5),
    st.sampled_from(["/>", "></upi:Ack>", " />", ">text</upi:Ack>"]),
)
def test_both_ways_read_the_same(attributes, end):
    written = "".join(f' {name}="{value}"' for name, value in attributes)
    body = f"{OPEN}{written}{end}".encode()

    quick = codec._plain_ack(body)

    assert quick is None or quick == codec._parsed_ack(body)


def test_the_common_form_goes_the_quick_way():
    assert codec._plain_ack(codec.ack("ReqPay", "EXB1")) is not None


@pytest.mark.parametrize(
    "body",
    [
        f'{OPEN} api="ReqPay" api="ReqPay" reqMsgId="EXB1"/>',
        f'{OPEN} api="ReqPay" reqMsgId="EXB2"/>',
        f'{OPEN} api="ReqHbt" reqMsgId="EXB1"/>',
        f'{OPEN[:-1]}x" api="ReqPay" reqMsgId="EXB1"/>',
    ],
)
def test_no_other_answer_is_taken_for_the_ack(body):
    with pytest.raises(codec.MalformedError):
        codec.ack_code(body.encode(), "ReqPay", "EXB1")
