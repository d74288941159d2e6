"""Checks where events may be sent: to no address inside the server's network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from web.errors import Problem

PORTS = {"https": 443, "http": 80}
# An old way to write IPv4 addresses.
COMPATIBLE = IPv6Network("::/96")


class Place(NamedTuple):
    """The parts of a URL that a connection needs."""

    scheme: str
    host: str
    port: int
    target: str
    host_header: str


def place_of(url: str) -> Place:
    """Error: webhook_url_refused, for a URL that is wrong or has an address inside the network.

    Names are resolved when an event is sent: `resolve`.
    """
    try:
        parts = urlsplit(url)
        place = _place(parts)
    except ValueError:
        raise Problem("webhook_url_refused") from None
    allowed = PORTS if settings.WEBHOOK_ALLOW_PRIVATE else {"https"}
    if place.scheme not in allowed or not place.host or parts.username or parts.password:
        raise Problem("webhook_url_refused")
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise Problem("webhook_url_refused")
    try:
        address = ip_address(place.host)
    except ValueError:
        return place
    if not is_allowed(address):
        raise Problem("webhook_url_refused")
    return place


def resolve(place: Place) -> str:
    """An allowed address of the host. OSError if there is none."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not addresses or not all(is_allowed(ip_address(each)) for each in addresses):
        raise PermissionError("an address inside the server's network")
    return addresses[0]


def is_allowed(address: IPv4Address | IPv6Address) -> bool:
    if settings.WEBHOOK_ALLOW_PRIVATE:
        return True
    if isinstance(address, IPv6Address):
        # An embedded IPv4 address: mapped, 6to4, Teredo, NAT64.
        inner = address.ipv4_mapped or address.sixtofour or _nat64(address)
        if (
            address.teredo
            or address.is_site_local
            or address in COMPATIBLE
            or (inner and not is_allowed(inner))
        ):
            return False
        if inner is None and not address.is_global:
            return False
        return not address.is_multicast
    return address.is_global and not address.is_multicast


def _nat64(address: IPv6Address) -> IPv4Address | None:
    is_nat64 = address.packed.startswith(bytes.fromhex("0064ff9b") + bytes(8))
    return IPv4Address(address.packed[12:]) if is_nat64 else None


def _place(parts: SplitResult) -> Place:
    scheme, host = parts.scheme, parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    header = parts.netloc.rpartition("@")[2]
    return Place(scheme, host, parts.port or PORTS.get(scheme, 0), target, header)
