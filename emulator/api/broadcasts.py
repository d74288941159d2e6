"""Hub streaming broadcasts: HLS and RTMP."""

from __future__ import annotations

from typing import Any

from emulator.answers import broadcast_object
from emulator.api import manual_streams
from emulator.api.call import NO_CLIENTS, Call, page
from emulator.archive_options import DEFAULT_RESOLUTION, MAX_BITRATE, RESOLUTIONS, check_layout
from emulator.fields import Fields, read_fields, read_paging
from emulator.messages import ApiError, Response, invalid, json_response, not_found
from emulator.runs import STOPPED_BY_CALL, Broadcast

MAX_SECONDS = range(60, 36_001)
DEFAULT_SECONDS = 4 * 3600
MAX_RTMP = 5


def start(call: Call) -> Response:
    fields = read_fields(call.request)
    session = call.session(fields.text("sessionId"))
    outputs = fields.inner("outputs")
    rtmp = [read_rtmp(target) for target in outputs.objects("rtmp")]
    hls = read_hls(outputs.inner("hls")) if outputs.has("hls") else None
    if hls is None and not rtmp:
        raise invalid("outputs needs hls or rtmp")
    if len(rtmp) > MAX_RTMP:
        raise invalid(f"A broadcast has at most {MAX_RTMP} RTMP targets")
    if fields.has("layout"):
        check_layout(fields.inner("layout"))
    if session.is_relayed:
        raise ApiError(409, -1, "The session is relayed; only routed sessions can be broadcast")
    if not call.world.presence(session.text).connected:
        raise not_found(NO_CLIENTS)
    tag = fields.text("multiBroadcastTag")
    if tag in {running.tag for running in call.world.running(session.text, Broadcast.kind)}:
        # Recorded, with no code and no description.
        message = "Session is already composed for given tag with code 409"
        return json_response(409, {"message": message})
    broadcast = Broadcast(
        call.project,
        session.text,
        call.world.now,
        fields.number("maxDuration", MAX_SECONDS) or DEFAULT_SECONDS,
        rtmp=rtmp,
        hls=hls,
        tag=tag,
        resolution=fields.choice("resolution", RESOLUTIONS, DEFAULT_RESOLUTION),
        max_bitrate=fields.number("maxBitrate", MAX_BITRATE),
        is_manual=fields.choice("streamMode", {"auto", "manual"}, "auto") == "manual",
        has_audio=fields.flag("hasAudio", default=True),
        has_video=fields.flag("hasVideo", default=True),
    )
    call.world.begin(broadcast)
    return json_response(200, view(call, broadcast, is_new=True))


def list_all(call: Call) -> Response:
    offset, count, session_id = read_paging(call.request)
    # inference: that the list has those that are over as well is not documented.
    found = [each for each in call.runs(Broadcast, session_id) if not each.is_over]
    return json_response(200, page(found, offset, count, lambda each: view(call, each)))


def get(call: Call) -> Response:
    return json_response(200, view(call, call.run(Broadcast)))


def stop(call: Call) -> Response:
    broadcast = call.running(Broadcast)
    broadcast.end(call.world, call.world.now, reason=STOPPED_BY_CALL)
    return json_response(200, view(call, broadcast))


def set_layout(call: Call) -> Response:
    broadcast = call.running(Broadcast)
    check_layout(read_fields(call.request))
    return json_response(200, view(call, broadcast))


def change_streams(call: Call) -> Response:
    broadcast = call.running(Broadcast)
    return manual_streams.change(call, broadcast, is_manual=broadcast.is_manual)


def read_rtmp(target: Fields) -> dict[str, str]:
    server, name = target.text("serverUrl"), target.text("streamName")
    if not server.startswith(("rtmp://", "rtmps://")) or not name:
        raise invalid("Invalid RTMP target")
    return {"id": target.text("id"), "serverUrl": server, "streamName": name}


def read_hls(settings: Fields) -> dict[str, bool]:
    chosen = {name: settings.flag(name, default=False) for name in ("lowLatency", "dvr")}
    if all(chosen.values()):
        raise invalid("lowLatency and dvr exclude each other")
    return chosen


def view(call: Call, broadcast: Broadcast, *, is_new: bool = False) -> dict[str, Any]:
    return broadcast_object(
        broadcast, base_url=call.request.base_url, now=call.world.now, is_new=is_new
    )
