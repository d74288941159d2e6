"""The form of session create: values and limits of the official SDKs' documentation."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from emulator.archive_options import DEFAULT_RESOLUTION, RESOLUTIONS, ArchiveOptions
from emulator.messages import form_fields, invalid

MAX_ARCHIVE_NAME = 80


@dataclass(frozen=True)
class SessionForm:
    """`automatic` is how the session is archived automatically, None when it is not."""

    location: str
    is_relayed: bool
    is_encrypted: bool
    automatic: ArchiveOptions | None


def read_session_form(body: bytes) -> SessionForm:
    """Raises ApiError."""
    try:
        fields = form_fields(body.decode())
    except ValueError:
        raise invalid("Invalid form") from None
    # Some SDKs send what was not set as a text.
    fields = {name: text for name, text in fields.items() if text not in ("", "null")}
    # Vonage's SDKs also know "always", a relayed session that never falls back. Inference: that
    # all other words mean a routed session; the newest sample server sends "routed".
    preference = fields.get("p2p.preference", "").lower()
    is_relayed = preference in {"enabled", "always", "relayed"}
    return SessionForm(
        read_location(fields),
        is_relayed,
        is_encrypted=one_of(fields, "e2ee", ("false", "true")) == "true",
        automatic=read_automatic(fields, relayed=is_relayed),
    )


def one_of(fields: dict[str, str], name: str, values: tuple[str, ...]) -> str:
    """A form field, the first value being the default. Raises ApiError."""
    value = fields.get(name, values[0]).lower()
    if value not in values:
        raise invalid(f"Invalid value for {name}")
    return value


def read_location(fields: dict[str, str]) -> str:
    location = fields.get("location", "")
    try:
        return str(ipaddress.IPv4Address(location)) if location else ""
    except ValueError:
        raise invalid("Invalid value for location") from None


def read_automatic(fields: dict[str, str], *, relayed: bool) -> ArchiveOptions | None:
    """Raises ApiError."""
    is_automatic = one_of(fields, "archiveMode", ("manual", "always")) == "always"
    if is_automatic and relayed:
        raise invalid("archiveMode always needs a routed session")
    # inference: without it a name and a resolution are ignored.
    if not is_automatic:
        return None
    name = fields.get("archiveName", "")
    if len(name) > MAX_ARCHIVE_NAME:
        raise invalid("Invalid value for archiveName")
    resolution = fields.get("archiveResolution", DEFAULT_RESOLUTION)
    if resolution not in RESOLUTIONS:
        raise invalid("Invalid value for archiveResolution")
    # The service turns these into colons (the official Node SDK's documentation).
    return ArchiveOptions(name=re.sub("[~_-]", ":", name), resolution=resolution)
