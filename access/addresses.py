"""Where a request comes from, as far as that can be believed."""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings

LONGEST = 64  # no address is longer, with a port and brackets


def address_of(environ: Mapping[str, Any]) -> str:
    """The client's address; of an IPv6 address the first 64 bits, which are one customer's.

    X-Forwarded-For counts from the right: the last entry was written by the proxy in front of this
    server, the one before by the proxy in front of that one, and TRUSTED_PROXIES says how many of
    them there are. What stands further left is whatever the client sent.
    """
    peer = _plain(environ.get("REMOTE_ADDR", "")) or "unknown"
    if not settings.TRUSTED_PROXIES:
        return peer
    told = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(told) < settings.TRUSTED_PROXIES:
        return peer
    return _plain(told[-settings.TRUSTED_PROXIES].strip()[:LONGEST]) or peer


@lru_cache(maxsize=4096)
def network_of(client: str) -> str:
    """The /48 around an IPv6 client, as `address_of` or access.limits.client_ident names it.

    Nothing for other clients.
    """
    address = client.removeprefix("address:")
    if not address.endswith("::/64"):
        return ""
    return str(IPv6Network(address).supernet(new_prefix=48))


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """`192.0.2.7`, `2001:db8:1:2::/64`, or nothing at all for what is no address."""
    if match := re.fullmatch(r"\[(.+)\](?::\d+)?|([\d.]+):\d+", text):
        text = match[1] or match[2]
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))
