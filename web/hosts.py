"""Host names and web origins, as variables name them."""

import re
from ipaddress import IPv6Address

import idna

LABELS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(\[[^]]*\]|[^][/?#@:\s]+)(?::([0-9]{1,5}))?")
USUAL_PORTS = {"http": 80, "https": 443}
# With underscores, which Django refuses and which names in Docker networks have.
HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|[._-]*[A-Za-z0-9][A-Za-z0-9._-]*")


def to_ascii(name: str) -> str:
    """A host name as browsers write it, with `xn--` for an international one. ValueError."""
    return name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()


def allowed_host(entry: str) -> str:
    """An entry of ALLOWED_HOSTS as Django compares it. ValueError if it can match no host."""
    if entry == "*":
        return entry
    inside = entry[1:-1] if entry.startswith("[") and entry.endswith("]") else entry
    if ":" in inside and "%" not in inside:
        return f"[{IPv6Address(inside)}]"
    name = to_ascii(entry.removeprefix(".").removesuffix("."))
    if not LABELS.fullmatch(name):
        raise ValueError(entry)
    return f".{name}" if entry.startswith(".") else name


def origin(entry: str) -> str:
    """An entry of CORS_ALLOWED_ORIGINS as browsers send it. ValueError if no browser sends it."""
    if entry in {"*", "null"}:
        return entry
    if not (parts := ORIGIN.fullmatch(entry)):
        raise ValueError(entry)
    scheme, host, port = parts[1].lower(), parts[2], int(parts[3] or 0)
    host = f"[{IPv6Address(host[1:-1])}]" if host.startswith("[") else to_ascii(host)
    if not HOST.fullmatch(host) or port > 65_535:
        raise ValueError(entry)
    has_port = parts[3] and port != USUAL_PORTS.get(scheme)
    return f"{scheme}://{host}:{port}" if has_port else f"{scheme}://{host}"
