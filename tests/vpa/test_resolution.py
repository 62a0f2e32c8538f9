"""Resolution: what is behind an address, from Redis when it is there and never from the past."""

from functools import partial

import pytest
import redis
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_redis.exceptions import ConnectionInterrupted

from apps.common import clock
from apps.common.addresses import VpaAddress
from apps.upi.contracts import AccountAddress
from apps.vpa import resolution_cache, selectors
from apps.vpa.contracts import VpaKind
from apps.vpa.errors import AddressTakenError
from apps.vpa.models import Vpa
from apps.vpa.services import register
from tests.api.people import enrol_person, open_shop
from tests.api.race import at_once


@pytest.fixture(autouse=True)
def empty_redis():
    cache.clear()


def give(person, address, account=0):
    return register.register_address(
        VpaAddress.parse(address), account=person.accounts[account], at=clock.now()
    )


def queries(call):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        call()
    return len(captured)


@pytest.mark.django_db
def test_a_persons_address_resolves_to_account_and_verified_name():
    person = enrol_person()
    row = give(person, "asha@exbank")

    resolved = selectors.resolve("asha@exbank")

    assert resolved is not None
    assert (resolved.vpa_id, resolved.kind, resolved.mcc) == (row.pk, VpaKind.PERSON, "0000")
    assert resolved.verified_name == "ASHA RAO"
    assert resolved.account == AccountAddress(
        ifsc="EXBK0000001",
        account_type="SAVINGS",
        account_number=person.accounts[0].account_number,
    )
    assert resolved.merchant is None


@pytest.mark.django_db
def test_a_shops_address_resolves_to_its_merchant_block():
    shop = open_shop("Nila Books")

    first, cached = selectors.resolve(shop.address), selectors.resolve(shop.address)

    assert first == cached
    assert first is not None
    assert (first.kind, first.mcc) == (VpaKind.ENTITY, "5942")
    assert first.merchant is not None
    assert (first.merchant.sub_code, first.merchant.brand) == ("5942", "Nila Books")


@pytest.mark.django_db
def test_a_batch_costs_one_query_and_then_none():
    people = [enrol_person() for _ in range(5)]
    addresses = [give(person, f"p{place}@exbank").address for place, person in enumerate(people)]
    wanted = [*addresses, "nobody@exbank", addresses[0]]

    found = selectors.resolve_many(wanted)

    assert sorted(found) == sorted(addresses)
    assert queries(lambda: selectors.resolve_many(addresses)) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["nobody@exbank", "ASHA@exbank", "asha@okbank", ""])
def test_what_is_not_an_active_address_of_ours_resolves_to_nothing(address):
    give(enrol_person(), "asha@exbank")

    assert selectors.resolve(address) is None


@pytest.mark.django_db
def test_an_address_given_up_resolves_to_nothing_at_once():
    person = enrol_person()
    row = give(person, "asha@exbank")
    selectors.resolve("asha@exbank")

    register.deactivate(customer_id=person.device.customer_id, vpa_id=row.pk, at=clock.now())

    assert selectors.resolve("asha@exbank") is None


@pytest.mark.django_db
def test_another_account_behind_an_address_is_seen_at_once():
    person = enrol_person(accounts=2)
    row = give(person, "asha@exbank")
    selectors.resolve("asha@exbank")

    register.change_account(
        customer_id=person.device.customer_id, vpa_id=row.pk, account_id=person.accounts[1].pk
    )

    resolved = selectors.resolve("asha@exbank")
    assert resolved is not None
    assert resolved.account.account_number == person.accounts[1].account_number


@pytest.mark.django_db
def test_a_reader_from_before_a_change_leaves_nothing_behind():
    person = enrol_person(accounts=2)
    row = give(person, "asha@exbank")
    past = selectors.resolved_of(row)

    register.change_account(
        customer_id=person.device.customer_id, vpa_id=row.pk, account_id=person.accounts[1].pk
    )
    resolution_cache.fill([past])

    resolved = selectors.resolve("asha@exbank")
    assert resolved is not None
    assert resolved.account.account_number == person.accounts[1].account_number


@pytest.mark.django_db
def test_redis_learns_no_account_number(settings):
    person = enrol_person()
    give(person, "asha@exbank")

    selectors.resolve("asha@exbank")

    with redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]) as client:
        kept = client.get("upi:1:vpa:asha@exbank")
    assert kept is not None
    assert person.accounts[0].account_number.encode() not in kept


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forge",
    [
        lambda _sealed: ["id", "asha@exbank", "PERSON", "0000", "EVE", ["X", "Y", "1"], None],
        lambda _sealed: "gAAAAABnot-a-token",
        lambda sealed: sealed,
    ],
    ids=["made up", "no token", "of another address"],
)
def test_who_writes_to_redis_redirects_no_payment(forge):
    person = enrol_person(accounts=2)
    give(person, "asha@exbank")
    give(person, "eve@exbank", account=1)
    selectors.resolve("eve@exbank")

    cache.set("vpa:asha@exbank", forge(cache.get("vpa:eve@exbank")))

    resolved = selectors.resolve("asha@exbank")
    assert resolved is not None
    assert resolved.account.account_number == person.accounts[0].account_number


@pytest.mark.django_db
def test_without_redis_the_database_answers_and_nothing_changes(settings):
    person = enrol_person(accounts=2)
    row = give(person, "asha@exbank")
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}

    resolved = selectors.resolve("asha@exbank")
    with pytest.raises((redis.RedisError, ConnectionInterrupted)):
        register.deactivate(customer_id=person.device.customer_id, vpa_id=row.pk, at=clock.now())

    assert resolved is not None
    assert Vpa.objects.get().state == "ACTIVE"


def test_of_two_who_want_an_address_at_once_one_gets_it(committed):
    people = [enrol_person() for _ in range(6)]

    def want(person):
        try:
            give(person, "wanted@exbank")
        except AddressTakenError:
            return "taken"
        return "given"

    outcomes = at_once([partial(want, person) for person in people])

    assert sorted(outcomes) == ["given", *["taken"] * 5]
    assert Vpa.objects.count() == 1
