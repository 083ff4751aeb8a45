"""Which addresses a flow may make us ask: those of the open internet, and of our own only what is allowed.

Otherwise whoever writes a flow, a name server or a redirecting web server could have us ask the machine we
run on, its neighbours, or the provider's own services behind 169.254.169.254.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = ip_network("64:ff9b::/96")


def may_ask(text: str, private: Sequence[Network] = ()) -> bool:
    """Whether an address as a name server gives it may be connected to. False for what is no address."""
    try:
        address = _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    return any(address in network for network in private) or all(map(_open, (address, *_inside(address))))


def is_address(text: str) -> bool:
    """Whether it is an address itself, and no name that has one."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _plain(address: Address) -> Address:
    """An IPv4 address that is written as one of IPv6, for us or for a translator, is that IPv4 address."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _open(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_private
        or address.is_unspecified
    )


def _inside(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 one leads to by way of a tunnel."""
    if not isinstance(address, IPv6Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
