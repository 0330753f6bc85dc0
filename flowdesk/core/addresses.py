"""Whose address a request comes from, and which addresses count as one visitor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

Network = IPv4Network | IPv6Network
HOUSEHOLD = 64  # the leading bits of an IPv6 address that one household is given


class BadProxies(ValueError):
    """FLOWDESK_TRUSTED_PROXIES holds something that is neither an address nor a network."""


def trusted_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list separated by commas, such as "10.0.0.0/8, ::1". Raises BadProxies."""
    try:
        return tuple(ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise BadProxies(f"FLOWDESK_TRUSTED_PROXIES: {error}") from None


def client_address(peer: str, forwarded: str, *, proxies: Iterable[Network]) -> str:
    """The nearest address that is not a proxy of ours; "" where there is none, as on a Unix socket.

    `forwarded` is an X-Forwarded-For, to which each proxy adds at its end whom it was asked by. It is believed
    from the end, and no further than our own proxies vouch for it: what stands before that, anybody can write.
    """
    trusted = tuple(proxies)
    address = _address(peer)
    for hop in reversed(forwarded.split(",")):
        if not address or not any(ip_address(address) in network for network in trusted):
            break
        before = _address(hop)
        if not before:
            break
        address = before
    return address


def address_of(meta: Mapping[str, Any]) -> str:
    """The client's address of a request, from its `META`; the trusted proxies are the settings'."""
    return client_address(
        str(meta.get("REMOTE_ADDR", "")),
        str(meta.get("HTTP_X_FORWARDED_FOR", "")),
        proxies=settings.TRUSTED_PROXIES,
    )


def neighbourhood(address: str) -> str:
    """What limits count by: an IPv4 address itself, of an IPv6 one the network that a household is given."""
    if not address or ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address}/{HOUSEHOLD}", strict=False))


def _address(text: str) -> str:
    """The address without port, brackets or zone, IPv4 as itself; "" for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
