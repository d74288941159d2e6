"""What a caller may ask of archives, and the 400s for everything else.

Fields and limits: Vonage Video OpenAPI. The SDK sends null for what was not set, so null is read
as absent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from emulator.messages import ApiError, Request, invalid

RESOLUTIONS = {"640x480", "480x640", "1280x720", "720x1280", "1920x1080", "1080x1920"}
DEFAULT_RESOLUTION = "640x480"
LAYOUTS = {"bestFit", "custom", "horizontalPresentation", "pip", "verticalPresentation"}
COMPOSED_ONLY = ("resolution", "layout", "maxBitrate", "quantizationParameter")
DEFAULT_COUNT = 50
MAX_COUNT = 1000
MAX_BITRATE = range(100_000, 6_000_001)
QUANTIZATION = range(15, 41)


@dataclass(frozen=True)
class ArchiveOptions:
    """`transcription` is None, or the primaryLanguageCode and hasSummary that were asked for."""

    name: str = ""
    has_audio: bool = True
    has_video: bool = True
    is_composed: bool = True
    resolution: str = DEFAULT_RESOLUTION
    is_manual: bool = False
    tag: str = ""
    max_bitrate: int | None = None
    quantization: int | None = None
    transcription: dict[str, Any] | None = None


class Fields:
    """A JSON object read field by field. Every method raises ApiError for a wrong type."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, default: str = "") -> str:
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise invalid(f"Invalid value for {name}")
        return value

    def choice(self, name: str, choices: set[str], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise invalid(f"Invalid value for {name}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Also as a text, as some SDKs send it."""
        value = self._fields.get(name, default)
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.lower())
        if not isinstance(value, bool):
            raise invalid(f"Invalid value for {name}")
        return value

    def number(self, name: str, limits: range) -> int | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value not in limits:
            raise invalid(f"Invalid value for {name}")
        return value

    def names(self) -> list[str]:
        return list(self._fields)

    def texts(self, name: str) -> list[str]:
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid(f"Invalid value for {name}")
        return value

    def objects(self, name: str) -> list[Fields]:
        value = self._fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise invalid(f"Invalid value for {name}")
        return [Fields(each) for each in value]

    def inner(self, name: str) -> Fields:
        value = self._fields.get(name, {})
        if not isinstance(value, dict):
            raise invalid(f"Invalid value for {name}")
        return Fields(value)


def read_fields(request: Request) -> Fields:
    """The JSON object in the body. Raises ApiError."""
    try:
        return Fields(request.json_object())
    except ValueError:
        raise invalid("Invalid JSON") from None


def read_options(fields: Fields) -> ArchiveOptions:
    """The options in the body of a start call. Raises ApiError."""
    is_composed = fields.choice("outputMode", {"composed", "individual"}, "composed") == "composed"
    for name in COMPOSED_ONLY:
        if fields.has(name) and not is_composed:
            raise invalid(f"{name} is only for archives whose outputMode is composed")
    if fields.has("maxBitrate") and fields.has("quantizationParameter"):
        raise invalid("maxBitrate and quantizationParameter exclude each other")
    if fields.has("layout"):
        check_layout(fields.inner("layout"))
    options = ArchiveOptions(
        name=fields.text("name"),
        has_audio=fields.flag("hasAudio", default=True),
        has_video=fields.flag("hasVideo", default=True),
        is_composed=is_composed,
        resolution=fields.choice("resolution", RESOLUTIONS, DEFAULT_RESOLUTION),
        is_manual=fields.choice("streamMode", {"auto", "manual"}, "auto") == "manual",
        tag=fields.text("multiArchiveTag"),
        max_bitrate=fields.number("maxBitrate", MAX_BITRATE),
        quantization=fields.number("quantizationParameter", QUANTIZATION),
        transcription=read_transcription(fields),
    )
    if not (options.has_audio or options.has_video):
        raise invalid("hasAudio and hasVideo cannot both be false")
    return options


def read_transcription(fields: Fields) -> dict[str, Any] | None:
    """What was asked for, under the names of the answer. Raises ApiError."""
    properties = fields.inner("transcriptionProperties")
    wanted = {
        "primaryLanguageCode": properties.text("primaryLanguageCode", "en-US"),
        "hasSummary": properties.flag("hasSummary", default=False),
    }
    return wanted if fields.flag("hasTranscription", default=False) else None


def check_layout(fields: Fields) -> None:
    """The layout of a start or a layout call. Raises ApiError."""
    kind = fields.choice("type", LAYOUTS, "")
    if fields.has("stylesheet") != (kind == "custom"):
        raise invalid("A stylesheet goes with the layout type custom, and only with that")
    fields.text("stylesheet")
    if not fields.has("screenshareType"):
        return
    fields.choice("screenshareType", LAYOUTS - {"custom"}, "")
    if kind != "bestFit":
        raise invalid("screenshareType goes with the layout type bestFit only")


def read_paging(request: Request) -> tuple[int, int, str | None]:
    """offset, count and, if the list is of one session only, its id. Raises ApiError."""
    try:
        query = request.query
    except ValueError:
        raise invalid("Invalid query") from None
    offset, count = query.get("offset", "0"), query.get("count", str(DEFAULT_COUNT))
    if not all(re.fullmatch("[0-9]{1,9}", number) for number in (offset, count)):
        raise ApiError(400, -1, "Invalid paging parameters")
    if int(count) > MAX_COUNT:
        raise ApiError(400, -1, "Invalid paging parameters")
    # The second is what Vonage's Python SDK sends.
    return int(offset), int(count), query.get("sessionId") or query.get("session_id")
