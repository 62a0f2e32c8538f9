"""A page of the switch's directory is larger than any other message may be, and not without end."""

import dataclasses
import datetime as dt

import pytest
from lxml import etree

from apps.upi import codec
from apps.upi.contracts import AccPvd, Head, Resp, RespListAccPvd, Txn, Version
from tests.upi import wire
from tests.upi.refusal import FORM, refused

BANK = AccPvd(
    name="A Bank With a Name of Some Length, Limited",
    iin="900001",
    ifsc="EXBK0000001",
    active=True,
    url="https://upi.exbank.example/",
    spoc_name="Operations",
    spoc_email="operations@exbank.example",
    spoc_phone="911234567890",
    prods="AEPS,IMPS,CARD,NFS",
    last_modified_ts=dt.datetime(2025, 11, 22, tzinfo=dt.UTC),
    mob_reg_format="FORMAT1",
    version_supported=tuple(
        Version(no=no, description="UPI 2.0: ALL TAG LEVEL CHANGES", mandatory=True)
        for no in ("1.0", "2.0")
    ),
)


VERSIONS = tuple(Version(no=f"{number}.0") for number in range(1, 21))


def page(rows: int, bank: AccPvd = BANK) -> etree._Element:
    at = wire.now()
    number = wire.new_id()
    message = RespListAccPvd(
        head=Head(ts=at, org_id="NPCI", msg_id=wire.new_id()),
        resp=Resp(req_msg_id=number, result="SUCCESS"),
        txn=Txn(id=number, ts=at, type="ListAccPvd"),
        acc_pvd_list=(bank,) * rows,
    )
    return etree.fromstring(codec.encode(message))


def test_a_page_of_a_thousand_rows_gets_through_to_the_question_it_answers(door, changes, settings):
    settings.UPI_ROUTES = "tests.upi.test_pull.PULL_ROUTES"

    # The gate, the signature and the codec find nothing wrong; only that nobody asked.
    refused(door.send(page(1000)), changes, "U06")


@pytest.mark.parametrize(
    ("_case", "rows", "bank"),
    [
        ("too many bytes", 4000, BANK),
        ("too many parts", 600,  dataclasses.replace(BANK, version_supported=VERSIONS)),
    ],
)  # fmt: skip
def test_a_page_without_end_is_malformed(door, changes, _case, rows, bank):
    refused(door.send(page(rows, bank)), changes, FORM)


def test_the_larger_bounds_are_for_the_directory_alone(door, changes):
    body = wire.sign(page(1000), door.key)
    path = wire.path_of(body).replace("RespListAccPvd", "RespPay")

    refused(door.post(body, path=path), changes, FORM)
