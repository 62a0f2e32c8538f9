"""
Hostile messages at the door, X12 to X24 and X28, with the real database.

Each is answered with HTTP 200 and a negative Ack, and leaves one row in the log and one security
event: nothing else is written.
"""

import datetime as dt
import resource
import socket
import time

import pytest
from lxml import etree

from apps.common import clock
from apps.upi.models import MessageLog, PeerKey
from apps.upi.services import directory
from tests.upi import routes, wire
from tests.upi.refusal import FORM, INTEGRITY, refused


@pytest.mark.parametrize(
    "inserted", [b"<!---->", b"<!-- 0 -->", b"<?pi 0?>", b"<![CDATA[0]]>", b"&amp;&zero;"]
)
def test_x12_what_would_part_a_text_is_refused_before_parsing(door, changes, inserted):
    body = wire.sign(wire.fresh("DEBIT"), door.key)

    answered = door.post(body.replace(b"2.0|", b"2." + inserted + b"0|"), path=wire.path_of(body))

    refused(answered, changes, FORM)


DOCTYPES = {
    "an internal entity": b'<!DOCTYPE r [<!ENTITY x "500.00">]>',
    "an external file":   b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "an external site":   b'<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:PORT/x">]>',
    "a parameter entity": b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:PORT/x"> %x;]>',
    "an external subset": b'<!DOCTYPE r SYSTEM "http://127.0.0.1:PORT/x">',
    "an empty doctype":   b"<!DOCTYPE r>",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCTYPES)
def test_x13_x14_any_doctype_is_refused_and_nothing_is_fetched(door, changes, name):
    body = wire.sign(wire.fresh("DEBIT"), door.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = str(listener.getsockname()[1]).encode()
        attack = DOCTYPES[name].replace(b"PORT", port)
        attack += body.replace(b'value="149.50"', b'value="&x;"')

        refused(door.post(attack, path=wire.path_of(body)), changes, FORM)

        with pytest.raises(BlockingIOError):
            listener.accept()


def laughs() -> bytes:
    entities = [b'<!ENTITY l0 "lol">']
    entities += [
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
    ]
    return b"<!DOCTYPE r [" + b"".join(entities) + b"]><r>&l9;</r>"


def blow_up() -> bytes:
    return b'<!DOCTYPE r [<!ENTITY x "' + b"a" * 50_000 + b'">]><r>' + b"&x;" * 2_000 + b"</r>"


@pytest.mark.parametrize("attack", [laughs(), blow_up()], ids=["laughs", "blow-up"])
def test_x15_a_bomb_is_refused_at_once_and_in_little_memory(door, changes, attack):
    path = f"/upi/ReqPay/2.0/urn:txnid:{wire.new_id()}"
    door.post(b"<!DOCTYPE r>", path=path)
    changes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()

    answered = door.post(attack, path=path)

    assert time.process_time() - began < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 5 * 1024
    refused(answered, changes, FORM)


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


@pytest.mark.parametrize(
    ("_case", "inner"),
    [
        ("300 deep",          nested(300)),
        ("13 deep",           nested(13)),
        ("2 MB",              b"<a>" + b" " * 2_000_000 + b"</a>"),
        ("a byte too long",   b" " * (256 * 1024)),
        ("10,001 attributes", b"<a " + b" ".join(b'a%d=""' % n for n in range(10_001)) + b"/>"),
        ("10,000 elements",   b"<a/>" * 10_000),
    ],
)  # fmt: skip
def test_x16_what_is_too_deep_or_too_large(door, changes, _case, inner):
    body = wire.sign(wire.fresh("DEBIT"), door.key)
    attack = body.replace(b"<Head ", inner + b"<Head ", 1)

    refused(door.post(attack, path=wire.path_of(body)), changes, FORM)


def declared(encoding: str, text: str) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode()


@pytest.mark.parametrize(
    ("_case", "recode"),
    [
        ("UTF-7",              lambda text: declared("UTF-7", text)),
        ("UTF-16",             lambda text: text.encode("utf-16")),
        ("UTF-16 without BOM", lambda text: text.encode("utf-16-le")),
        ("UTF-32",             lambda text: text.encode("utf-32")),
        ("EBCDIC",             lambda text: text.encode("cp037")),
        ("Latin-1 declared",   lambda text: declared("latin1", text)),
        ("a byte order mark",  lambda text: b"\xef\xbb\xbf" + text.encode()),
        ("XML 1.1",            lambda text: b'<?xml version="1.1"?>' + text.encode()),
        ("a bad byte",         lambda text: text.encode().replace(b"ASHA", b"AS\xffA")),
        ("an overlong byte",   lambda text: text.encode().replace(b"ASHA", b"\xc0\xafHA")),
        ("a surrogate",        lambda text: text.encode().replace(b"ASHA", b"\xed\xa0\x80A")),
        ("a zero byte",        lambda text: text.encode().replace(b"ASHA", b"AS\0A")),
        ("a late declaration", lambda text: b' <?xml version="1.0"?>' + text.encode()),
    ],
)  # fmt: skip
def test_x17_another_encoding(door, changes, _case, recode):
    body = wire.sign(wire.fresh("DEBIT"), door.key)

    answered = door.post(recode(body.decode()), path=wire.path_of(body))

    refused(answered, changes, FORM)


def test_x18_the_same_name_in_a_foreign_namespace(door, changes):
    def add_twin(root):
        twin = etree.SubElement(root, "{urn:evil}Txn", nsmap={"evil": "urn:evil"})
        twin.attrib.update(root.find("Txn").attrib)

    refused(door.send(wire.fresh("DEBIT", edit=add_twin)), changes, FORM)


def test_x18_qualified_children_of_our_own_namespace(door, changes):
    def qualify(root):
        root.find("Head").tag = f"{{{wire.UPI}}}Head"

    root = wire.fresh("DEBIT")
    path = f"/upi/ReqPay/2.0/urn:txnid:{root.find('Txn').get('id')}"
    qualify(root)

    refused(door.post(wire.sign(root, door.key), path=path), changes, FORM)


def test_x18_a_root_of_another_namespace(door, changes):
    body = wire.sign(wire.fresh("DEBIT"), door.key)
    attack = body.replace(b"http://npci.org/upi/schema/", b"http://npci.org/upi/schema")

    refused(door.post(attack, path=wire.path_of(body)), changes, FORM)


def test_x19_an_unknown_version(door, changes):
    def raise_version(root):
        root.find("Head").set("ver", "3.0")

    refused(door.send(wire.fresh("DEBIT", edit=raise_version)), changes, "H02")


@pytest.mark.parametrize(
    ("_case", "path", "code"),
    [
        ("another API",      "/upi/RespPay/2.0/urn:txnid:{id}",    "U10"),
        ("no such API",      "/upi/ReqSteal/2.0/urn:txnid:{id}",   "U10"),
        ("another version",  "/upi/ReqPay/1.0/urn:txnid:{id}",     "H02"),
        ("another id",       "/upi/ReqPay/2.0/urn:txnid:EXB1",     "U06"),
        ("an id with noise", "/upi/ReqPay/2.0/urn:txnid:{id}%00",  "U06"),
    ],
)  # fmt: skip
def test_x19_a_url_that_names_another_message(door, changes, _case, path, code):
    root = wire.fresh("DEBIT")
    path = path.format(id=root.find("Txn").get("id"))

    refused(door.post(wire.sign(root, door.key), path=path), changes, code)


def test_x19_an_api_that_does_not_exist(door, changes):
    root = etree.Element(f"{{{wire.UPI}}}ReqSteal", nsmap={"upi": wire.UPI})
    root.extend(wire.fresh("DEBIT"))

    refused(door.send(root), changes, "U10")


def test_x19_a_message_that_no_app_takes(door, changes):
    refused(door.send(wire.fresh("14_ReqPay_COLLECT")), changes, "U10")


def test_x20_the_same_message_again_has_no_second_effect(door, changes):
    body = wire.sign(wire.fresh("DEBIT"), door.key)
    first = door.post(body)
    changes()

    second = door.post(body)

    assert (second.err, second.body) == ("", first.body)
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 1}


def test_x21_a_message_id_with_other_bytes(door, changes):
    root = wire.fresh("DEBIT")
    msg_id = root.find("Head").get("msgId")
    door.send(root)
    changes()
    routes.received.clear()

    refused(door.send(wire.fresh("DEBIT", msg_id=msg_id)), changes, "U01")


def test_x22_the_same_request_under_a_new_id_is_one_credit(door, changes):
    txn_id = wire.new_id("EXB")
    door.send(wire.fresh("CREDIT", txn_id=txn_id))
    changes()

    answered = door.send(wire.fresh("CREDIT", txn_id=txn_id))

    assert answered.err == ""
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 1, "upi_exchange_repeat": 1}


@pytest.mark.parametrize("minutes", [-10, 10, -5.1, 5.1])
@pytest.mark.parametrize(("name", "code"), [("DEBIT", "H03"), ("BALANCE", "Z03")])
def test_x23_a_message_from_another_time(door, changes, name, code, minutes):
    at = wire.now() + dt.timedelta(minutes=minutes)

    refused(door.send(wire.fresh(name, at=at)), changes, code)


@pytest.mark.parametrize("name", ["PAY_ANSWER", "BALANCE_ANSWER", "HEARTBEAT_ANSWER"])
def test_x24_an_answer_to_nothing_that_we_asked(door, changes, name):
    refused(door.send(wire.fresh(name)), changes, "U06")


def test_a_sender_we_do_not_know_is_refused(door, changes):
    def rename(root):
        root.find("Head").set("orgId", "666666")

    refused(door.send(wire.fresh("DEBIT", edit=rename)), changes, "U52")


def test_x28_a_known_sender_cannot_speak_for_another(door, changes):
    other = wire.new_key()
    directory.register_key(
        "900002",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(other.public_key()),
        valid_from_at=clock.now(),
    )
    changes()

    refused(door.send(wire.fresh("DEBIT"), key=other), changes, INTEGRITY)


def test_x28_a_known_psp_cannot_speak_to_us_past_the_switch(door, changes):
    other = wire.new_key()
    directory.register_key(
        "900002",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(other.public_key()),
        valid_from_at=clock.now(),
    )
    changes()

    def sign_as_itself(root):
        root.find("Head").set("orgId", "900002")

    refused(door.send(wire.fresh("DEBIT", edit=sign_as_itself), key=other), changes, "U52")


def test_a_refused_message_that_was_not_understood_leaves_no_body_behind(door):
    door.post(etree.tostring(wire.fresh("DEBIT")))

    entry = MessageLog.objects.get()
    assert entry.body == ""
    assert entry.body_size > 0


def test_only_post_is_answered(door):
    path = f"/upi/ReqPay/2.0/urn:txnid:{wire.new_id()}"

    assert door._client.get(path).status_code == 405


def test_an_empty_body_is_refused(door, changes):
    answered = door.post(b"", path=f"/upi/ReqPay/2.0/urn:txnid:{wire.new_id()}")

    refused(answered, changes, FORM)
