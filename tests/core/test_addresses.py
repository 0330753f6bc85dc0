"""Whose address a request comes from: nobody writes himself another one."""

import pytest

from flowdesk.core.addresses import BadProxies, client_address, neighbourhood, trusted_networks

PROXIES = trusted_networks("10.0.0.0/8, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # no proxy of ours: what it says is only its word
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),  # the first was written by the client
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_an_address_is_believed_as_far_as_our_proxies_vouch_for_it(
    peer: str, forwarded: str, found: str
) -> None:
    assert client_address(peer, forwarded, proxies=PROXIES) == found


def test_without_trusted_proxies_a_header_says_nothing() -> None:
    assert client_address("10.0.0.1", "198.51.100.1", proxies=()) == "10.0.0.1"


def test_a_list_that_is_none_is_told() -> None:
    with pytest.raises(BadProxies, match=r"FLOWDESK_TRUSTED_PROXIES.*'proxy'"):
        trusted_networks("10.0.0.1, proxy")


def test_a_household_counts_once() -> None:
    assert neighbourhood("2001:db8:1:2::7") == neighbourhood("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::7") != neighbourhood("2001:db8:1:2::7")
    assert neighbourhood("192.0.2.7") == "192.0.2.7"
