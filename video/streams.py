"""Streams: what clients publish in a session."""

from video import answers, ids, rest
from video.answers import Remote
from video.errors import VideoError


def list_streams(session_id: str) -> list[Remote]:
    found = rest.list_in_session("list_streams", session_id, "stream")
    return [answers.with_ids(each, "id") for each in found]


def get_stream(session_id: str, stream_id: str) -> Remote:
    """Error: stream_not_found, also if nobody is connected."""
    stream_id = ids.stream_id(stream_id)
    answer = rest.ask(
        "get_stream",
        "GET",
        rest.in_session(session_id, f"stream/{stream_id}"),
        # 408 is documented for a stream that is not there, 404 for a session that has none.
        refusals={400: "session_invalid", 404: "stream_not_found", 408: "stream_not_found"},
    )
    stream = answers.with_ids(answer, "id")
    if stream["id"].lower() != stream_id:
        raise VideoError("opentok_failed", "another stream in the answer")
    return stream


def set_layout_classes(session_id: str, items: dict[str, list[str]]) -> None:
    """Set the layout classes of streams, by their ids. Error: layout_classes_refused."""
    classes = [
        {"id": ids.stream_id(stream_id), "layoutClassList": names}
        for stream_id, names in items.items()
    ]
    rest.ask(
        "set_layout_classes",
        "PUT",
        rest.in_session(session_id, "stream"),
        {"items": classes},
        refusals={400: "layout_classes_refused", 404: "stream_not_found"},
    )
