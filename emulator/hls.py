"""What an HLS address of a broadcast plays: the recording as a loop, for as long as it is live.

RFC 8216. A web page of any origin may read it, as from OpenTok's own CDN.
"""

from __future__ import annotations

import re
from pathlib import Path

from emulator.messages import Request, Response
from emulator.runs import HLS_WAIT, Broadcast
from emulator.world import World

PATH = re.compile(
    r"/tokbox\.com\.broadcast2/(?P<project>[^/]+)/(?P<broadcast>[0-9a-f-]{36})/"
    r"(?:playlist\.m3u8|segment-[0-9]{1,9}\.ts)"
)
CORS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
SEGMENT = Path(__file__).with_name("broadcast.ts").read_bytes()
SEGMENT_MS = 3_000
# Segments that a live playlist names; one with DVR names all.
WINDOW = 5


class Hls:
    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, request: Request) -> Response:
        match = PATH.fullmatch(request.path)
        if request.method not in ("GET", "HEAD") or match is None:
            return Response(404 if match is None else 405, b"", CORS)
        with self.world.lock:
            now = self.world.catch_up()
            broadcast = self.world.runs.get(match["broadcast"])
        if not isinstance(broadcast, Broadcast) or broadcast.hls is None:
            return Response(404, b"", CORS)
        segments = segments_of(broadcast, now)
        if not segments:  # it is not live yet
            return Response(404, b"", CORS)
        if request.path.endswith(".ts"):
            return Response(200, SEGMENT, {"Content-Type": "video/mp2t", **CORS})
        body = playlist(broadcast, segments).encode()
        return Response(200, body, {"Content-Type": "application/vnd.apple.mpegurl", **CORS})


def is_hls(request: Request) -> bool:
    return request.path.startswith("/tokbox.com.broadcast2/")


def segments_of(broadcast: Broadcast, now: int) -> range:
    """The numbers of the segments that there are."""
    until = broadcast.updated_at if broadcast.is_over else now
    made = 1 + (until - broadcast.created_at - HLS_WAIT) // SEGMENT_MS
    has_all = broadcast.is_over or bool(broadcast.hls and broadcast.hls["dvr"])
    return range(0 if has_all else max(0, made - WINDOW), max(0, made))


def playlist(broadcast: Broadcast, segments: range) -> str:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{SEGMENT_MS // 1000}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments.start}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{segments.start}",
    ]
    for number in segments:
        # Each segment begins anew: they are all the same.
        lines += [
            "#EXT-X-DISCONTINUITY",
            f"#EXTINF:{SEGMENT_MS / 1000:.3f},",
            f"segment-{number}.ts",
        ]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if broadcast.is_over else []), ""])
