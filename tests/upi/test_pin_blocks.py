"""Credentials: held for a minute at most, in a table that neither log nor backup keeps."""

import datetime as dt

import pytest
from django.db import connection, transaction

from apps.common import clock, ids
from apps.common.secret import Secret
from apps.upi.contracts import Credential
from apps.upi.models import PinBlock
from apps.upi.services import pin_blocks

PIN = Credential(type="PIN", sub_type="MPIN", code="NPCI", ki="20150822", data=Secret("2.0|QQ=="))
OTP = Credential(type="OTP", sub_type="SMS", code="NPCI", ki="20150822", data=Secret("2.0|Qg=="))


pytestmark = pytest.mark.django_db


def age(seconds: float) -> None:
    PinBlock.objects.update(stored_at=clock.now() - dt.timedelta(seconds=seconds))


def test_the_table_is_not_in_the_write_ahead_log():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'upi_pin_block'")
        assert cursor.fetchone() == ("u",)


def test_the_planners_statistics_which_are_logged_hold_no_credentials():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstattarget FROM pg_attribute "
            "WHERE attrelid = 'upi_pin_block'::regclass AND attname = 'credentials'"
        )
        assert cursor.fetchone() == (0,)


def test_credentials_come_back_as_they_were():
    one, two, none = ids.uuid7(), ids.uuid7(), ids.uuid7()
    pin_blocks.store(one, [OTP, PIN])
    pin_blocks.store(two, [PIN])
    pin_blocks.store(none, [])

    assert pin_blocks.load([one, two, none]) == {one: (OTP, PIN), two: (PIN,)}


def test_credentials_are_stored_with_the_decision_or_not_at_all():
    key = ids.uuid7()

    with transaction.atomic():
        pin_blocks.store(key, [PIN])
        transaction.set_rollback(True)

    assert pin_blocks.load([key]) == {}


def test_deleted_credentials_are_gone():
    key, other = ids.uuid7(), ids.uuid7()
    pin_blocks.store(key, [PIN])
    pin_blocks.store(other, [PIN])

    pin_blocks.delete([key])

    assert set(pin_blocks.load([key, other])) == {other}


@pytest.mark.parametrize(("seconds", "is_there"), [(59, True), (61, False)])
def test_credentials_past_their_minute_are_not_given_out(seconds, is_there):
    key = ids.uuid7()
    pin_blocks.store(key, [PIN])

    age(seconds)

    assert bool(pin_blocks.load([key])) is is_there


def test_the_purge_removes_what_is_past_its_minute_and_nothing_else():
    old, new = ids.uuid7(), ids.uuid7()
    pin_blocks.store(old, [PIN])
    age(61)
    pin_blocks.store(new, [PIN])

    assert pin_blocks.purge() == 1

    assert PinBlock.objects.get().pk == new
