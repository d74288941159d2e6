"""Sessions: `POST /session/create`, the one path that names no project, takes a form, and answers
XML. Values and limits of the form: documentation of the official SDKs.
"""

from __future__ import annotations

import ipaddress
import re

from emulator.answers import session_created
from emulator.api.call import Call
from emulator.archive_options import DEFAULT_RESOLUTION, RESOLUTIONS, ArchiveOptions
from emulator.messages import Response, form_fields, invalid, json_response, xml_response

MAX_ARCHIVE_NAME = 80


def create(call: Call) -> Response:
    fields = read_form(call.request.body)
    # Vonage's SDKs also know "always", a relayed session that never falls back. Inference: that
    # all other words mean a routed session; the newest sample server sends "routed".
    preference = fields.get("p2p.preference", "").lower()
    is_relayed = preference in {"enabled", "always", "relayed"}
    session_id = call.world.create_session(
        call.project,
        location=read_location(fields),
        relayed=is_relayed,
        automatic=read_automatic(fields, relayed=is_relayed),
        encrypted=one_of(fields, "e2ee", ("false", "true")) == "true",
    )
    created = session_created(session_id, call.project, call.world.now)
    if call.request.takes_json:
        return json_response(200, created)
    # What the Ruby and PHP SDKs read.
    shown = {name: created[0][name] for name in ("session_id", "partner_id", "create_dt")}
    return xml_response(200, "sessions", "Session", shown)


def read_form(body: bytes) -> dict[str, str]:
    """Raises ApiError."""
    try:
        fields = form_fields(body.decode())
    except ValueError:
        raise invalid("Invalid form") from None
    # Some SDKs send what was not set as a text.
    return {name: text for name, text in fields.items() if text not in ("", "null")}


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
