"""What a caller may ask of archives, and the 400s for everything else.

Fields and limits: Vonage Video OpenAPI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulator.fields import Fields
from emulator.messages import invalid

RESOLUTIONS = {"640x480", "480x640", "1280x720", "720x1280", "1920x1080", "1080x1920"}
DEFAULT_RESOLUTION = "640x480"
LAYOUTS = {"bestFit", "custom", "horizontalPresentation", "pip", "verticalPresentation"}
COMPOSED_ONLY = ("resolution", "layout", "maxBitrate", "quantizationParameter")
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
