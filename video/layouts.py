"""What a running archive records, and how it is arranged: more of the door, as `client` is."""

from video import calls, ids
from video.answers import Remote


def set_layout(archive_id: str, layout: Remote) -> None:
    """Arrange a running archive anew; `layout` has `type` and what goes with that.

    `archive_not_found` for one that is not running as well.
    """
    archive_id = ids.archive_id(archive_id)
    calls.call(
        "set_archive_layout",
        lambda sdk: sdk.set_archive_layout(
            archive_id, layout["type"], layout.get("stylesheet"), layout.get("screenshareType")
        ),
        refusals={400: "layout_refused", 404: "archive_not_found"},
    )


def add_stream(
    archive_id: str, stream_id: str, *, has_audio: bool = True, has_video: bool = True
) -> None:
    """Have a running archive record a stream. Errors: streams_not_manual; stream_not_found, which
    OpenTok says of an archive that is not there, or not running, as well.
    """
    archive_id, stream_id = ids.archive_id(archive_id), ids.stream_id(stream_id)
    _change_streams(
        "add_archive_stream",
        lambda sdk: sdk.add_archive_stream(archive_id, stream_id, has_audio, has_video),
    )


def remove_stream(archive_id: str, stream_id: str) -> None:
    """Have it recorded no more. Errors: those of add_stream."""
    archive_id, stream_id = ids.archive_id(archive_id), ids.stream_id(stream_id)
    _change_streams(
        "remove_archive_stream",
        lambda sdk: sdk.remove_archive_stream(archive_id, stream_id),
    )


def _change_streams(operation: str, ask: calls.Ask) -> None:
    # Vonage documents the mode under 400, and its SDKs under 405.
    calls.call(
        operation,
        ask,
        refusals={400: "streams_not_manual", 404: "stream_not_found", 405: "streams_not_manual"},
    )
