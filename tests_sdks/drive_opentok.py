"""Makes every call of PyPI opentok."""

from opentok import ArchiveModes, Client, MediaModes, Roles, StreamModes
from opentok.broadcast import BroadcastStreamModes
from world import KEY, SECRET, URL, Watched, control, tell

made = Client(KEY, SECRET, api_url=URL)
made.endpoints.api_url = URL  # which it does not take with Vonage credentials
# How the SDK prepares its own requests.
INNER = {
    "append_to_user_agent", "get_headers", "get_json_headers", "headers", "json_headers",
    "validate_websocket_options",
}  # fmt: skip
client = Watched(made, besides=INNER)

tell(
    "session.create, relayed",
    client.create_session, location="12.34.56.78", media_mode=MediaModes.relayed, e2ee=True,
)  # fmt: skip
tell(
    "session.create, archived",
    client.create_session, media_mode=MediaModes.routed, archive_mode=ArchiveModes.always,
    archive_name="a", archive_resolution="1280x720",
)  # fmt: skip
session = tell("session.create", client.create_session, media_mode=MediaModes.routed)
id = session.session_id
one, other = control(f"sessions/{id}/streams"), control(f"sessions/{id}/streams")
stream = one["streamId"]

tell("token of a session", session.generate_token)
token = tell(
    "token",
    client.generate_token, id, Roles.moderator, data="a", initial_layout_class_list=["focus"],
)  # fmt: skip
t1 = tell("token, T1", client.generate_token, id, Roles.moderator, use_jwt=False)

archive = tell(
    "archive.start",
    client.start_archive, id, name="a", resolution="1280x720", stream_mode=StreamModes.manual,
    layout={"type": "pip"}, max_bitrate=200_000,
)  # fmt: skip
tell("archive.add_stream", client.add_archive_stream, archive.id, stream, has_video=False)
tell("archive.remove_stream", client.remove_archive_stream, archive.id, stream)
tell("archive.layout", client.set_archive_layout, archive.id, "custom", "stream { width: 9px }")
tell("archive.get", client.get_archive, archive.id)
tell("archive.list", client.list_archives, 0, 5, id)
tell("archive.list, older", client.get_archives, count=5)
tell("archive.stop", client.stop_archive, archive.id)
control("clock", advance=10)
tell("archive.delete", client.delete_archive, archive.id)
second = client.start_archive(id)
tell("archive.stop, by itself", second.stop)
control("clock", advance=10)
tell("archive.delete, by itself", second.delete)

rtmp = [{"id": "a", "serverUrl": "rtmp://example.com/live", "streamName": "a"}]
live = {
    "outputs": {"hls": {"dvr": True, "lowLatency": False}, "rtmp": rtmp},
    "layout": {"type": "pip"}, "maxDuration": 60, "resolution": "640x480", "maxBitrate": 200_000,
}  # fmt: skip
broadcast = tell("broadcast.start", client.start_broadcast, id, live, BroadcastStreamModes.manual)
tell("broadcast.add_stream", client.add_broadcast_stream, broadcast.id, stream)
tell("broadcast.remove_stream", client.remove_broadcast_stream, broadcast.id, stream)
tell(
    "broadcast.layout",
    client.set_broadcast_layout, broadcast.id, "bestFit", screenshare_type="pip",
)  # fmt: skip
tell("broadcast.get", client.get_broadcast, broadcast.id)
tell("broadcast.stop", client.stop_broadcast, broadcast.id)

tell("stream.list", client.list_streams, id)
tell("stream.get", client.get_stream, id, stream)
classes = [{"id": stream, "layoutClassList": ["full"]}]
tell("stream.classes", client.set_stream_class_lists, id, classes)

payload = {"type": "chat", "data": "a"}
tell("signal.all", client.send_signal, id, payload)
tell("signal.one", client.send_signal, id, payload, one["connectionId"])
tell("signal.all, older", client.signal, id, payload)
tell("mute.stream", client.mute_stream, id, stream)
tell("mute.all", client.mute_all, id, [stream])
tell("mute.end", client.disable_force_mute, id)

captions = tell("captions.start", client.start_captions, id, t1 or token, max_duration=300)
tell("captions.stop", client.stop_captions, captions.captions_id)

render = tell(
    "render.start",
    client.start_render, id, token, "https://example.com/page", properties={"name": "a"},
)  # fmt: skip
tell("render.get", client.get_render, render.id)
tell("render.list", client.list_renders, count=5)
tell("render.stop", client.stop_render, render.id)

phone = {
    "headers": {"X-a": "b"}, "auth": {"username": "a", "password": "b"}, "secure": True,
    "from": "a@example.com",
}  # fmt: skip
call = tell("call.dial", client.dial, id, token, "sip:user@example.com;transport=tls", phone)
tell("call.digits", client.play_dtmf, id, None, "12p#")
tell("call.digits, one", client.play_dtmf, id, call.connectionId, "12p#")

socket = {
    "uri": "wss://example.com/a", "streams": [stream], "headers": {"a": "b"},
    "bidirectional": True, "audio_transport": {"transport": "json", "encoding": "base64"},
}  # fmt: skip
tell("audio.connect", client.connect_audio_to_websocket, id, token, socket)

tell("connection.disconnect", client.force_disconnect, id, other["connectionId"])
client.tell_uncalled()
