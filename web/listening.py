"""The address to listen on: IPv4, IPv6 or a name of this machine."""

import re
import socket
from ipaddress import ip_address

from django.core.exceptions import ImproperlyConfigured


def resolve(written: str) -> str:
    """The IP address of what an operator wrote. ImproperlyConfigured"""
    bare = written[1:-1] if re.fullmatch(r"\[.*:.*\]", written) else written
    try:
        if "%" not in bare:
            return str(ip_address(bare))
    except ValueError:
        pass
    # A name has a letter: getaddrinfo takes `8080` for 0.0.31.144.
    if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9._-]+", bare):
        try:
            found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        # IPv4 first, which most clients use for `localhost`.
        for _, _, _, _, address in sorted(found, key=lambda each: each[0] != socket.AF_INET):
            return str(address[0])
    raise ImproperlyConfigured(
        "LISTEN (or --host) must be an IP address such as 0.0.0.0 or ::, or a name of this machine "
        f"such as localhost, without a port; not {written!r}."
    )


def create_server(
    address: str, port: int, *, backlog: int | None = None, reuse_port: bool = False
) -> socket.socket:
    """A listening socket; on `::` it takes IPv4 as well. OSError"""
    is_ipv6 = ":" in address
    return socket.create_server(
        (address, port),
        family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
        backlog=backlog,
        reuse_port=reuse_port,
        # Railway's private networks are IPv6, and health checks come by IPv4.
        dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6(),
    )


def in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address
