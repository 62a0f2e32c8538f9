"""Where webhooks may go: the internet, by its plain names, and nowhere near us."""

import ipaddress

import pytest

from apps.merchants.destination import is_public, look_up, read_url
from apps.merchants.errors import ForbiddenDestinationError


@pytest.fixture(autouse=True)
def as_at_a_bank(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://shop.example/hook",            "shop.example",        443,  "/hook"),
        ("https://SHOP.example:8443",            "shop.example",        8443, "/"),
        ("https://a.b-c.shop.example./h?x=1",    "a.b-c.shop.example",  443,  "/h?x=1"),
        ("https://8.8.8.8/",                     "8.8.8.8",             443,  "/"),
        ("https://[2606:4700::1111]/",           "2606:4700::1111",     443,  "/"),
    ],
)  # fmt: skip
def test_a_public_address_is_taken_apart(url, host, port, target):
    destination = read_url(url)

    assert (destination.host, destination.port, destination.target) == (host, port, target)
    assert destination.is_tls


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8",                 True),
        ("2606:4700::1111",         True),
        ("0.0.0.0",                 False),
        ("10.0.0.5",                False),
        ("100.64.0.1",              False),
        ("127.0.0.1",               False),
        ("169.254.169.254",         False),
        ("172.16.0.1",              False),
        ("192.168.1.1",             False),
        ("198.18.0.1",              False),
        ("224.0.0.1",               False),
        ("255.255.255.255",         False),
        ("::",                      False),
        ("::1",                     False),
        ("::ffff:169.254.169.254",  False),
        ("::ffff:8.8.8.8",          True),
        ("64:ff9b::7f00:1",         False),
        ("64:ff9b::808:808",        False),
        ("64:ff9b:1::1",            False),
        ("2002:7f00:1::",           False),
        ("2001:0:4136:e378::",      False),
        ("fd00:ec2::254",           False),
        ("fe80::1",                 False),
        ("ff02::1",                 False),
    ],
)  # fmt: skip
def test_only_what_is_on_the_internet_is_public(address, public):
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize("name", ["localhost", "127.1", "0177.0.0.1", "2130706433", "0x7f.1"])
def test_a_name_that_leads_inside_is_refused_where_it_is_looked_up(name, settings):
    """W05: whatever the name looked like when it was registered."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    destination = read_url(f"https://{name}/")
    settings.WEBHOOK_ALLOW_PRIVATE = False

    with pytest.raises(ForbiddenDestinationError):
        look_up(destination)
