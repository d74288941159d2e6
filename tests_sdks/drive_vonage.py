"""Makes every call of PyPI vonage's video."""

from urllib.parse import urlsplit

from vonage import Auth, HttpClientOptions, Vonage
from vonage_video.models import (
    AddStreamRequest,
    AudioConnectorOptions,
    AudioConnectorWebSocket,
    BroadcastHls,
    BroadcastOutputSettings,
    BroadcastRtmp,
    CaptionsOptions,
    ComposedLayout,
    CreateArchiveRequest,
    CreateBroadcastRequest,
    ExperienceComposerOptions,
    ExperienceComposerProperties,
    InitiateSipRequest,
    ListArchivesFilter,
    ListBroadcastsFilter,
    ListExperienceComposersFilter,
    SessionOptions,
    SignalData,
    SipAuth,
    SipOptions,
    StreamLayout,
    StreamLayoutOptions,
    TokenOptions,
)
from world import KEY, SECRET, URL, Watched, control, tell

host = urlsplit(URL).netloc
options = HttpClientOptions(video_host=host, timeout=5)
client = Watched(Vonage(Auth(application_id=KEY, private_key=SECRET), options).video)

relayed = SessionOptions(media_mode="relayed", location="12.34.56.78", e2ee=True)
tell("session.create, relayed", client.create_session, relayed)
archived = SessionOptions(media_mode="routed", archive_mode="always")
tell("session.create, archived", client.create_session, archived)
id = tell("session.create", client.create_session).session_id
one, other = control(f"sessions/{id}/streams"), control(f"sessions/{id}/streams")
stream = one["streamId"]

wish = TokenOptions(
    session_id=id, role="moderator", connection_data="a", initial_layout_class_list=["focus"]
)
token = tell("token", client.generate_client_token, wish)

adding, pip = AddStreamRequest(stream_id=stream, has_video=False), ComposedLayout(type="pip")
best = ComposedLayout(type="bestFit", screenshare_type="pip")
manual = CreateArchiveRequest(
    session_id=id, name="a", resolution="1280x720", stream_mode="manual", layout=pip,
    max_bitrate=200_000,
)  # fmt: skip
archive = tell("archive.start", client.start_archive, manual)
tell("archive.add_stream", client.add_stream_to_archive, archive.id, adding)
tell("archive.remove_stream", client.remove_stream_from_archive, archive.id, stream)
tell("archive.layout", client.change_archive_layout, archive.id, best)
tell("archive.get", client.get_archive, archive.id)
of_session = {"session_id": id, "page_size": 5}
tell("archive.list", client.list_archives, ListArchivesFilter(**of_session))
tell("archive.stop", client.stop_archive, archive.id)
control("clock", advance=10)
tell("archive.delete", client.delete_archive, archive.id)

rtmp = BroadcastRtmp(id="a", server_url="rtmp://example.com/live", stream_name="a")
outputs = BroadcastOutputSettings(hls=BroadcastHls(dvr=True, low_latency=False), rtmp=[rtmp])
live = CreateBroadcastRequest(
    session_id=id, outputs=outputs, layout=pip, max_duration=60, resolution="640x480",
    stream_mode="manual", max_bitrate=200_000,
)  # fmt: skip
broadcast = tell("broadcast.start", client.start_broadcast, live)
tell("broadcast.add_stream", client.add_stream_to_broadcast, broadcast.id, adding)
tell("broadcast.remove_stream", client.remove_stream_from_broadcast, broadcast.id, stream)
tell("broadcast.layout", client.change_broadcast_layout, broadcast.id, best)
tell("broadcast.get", client.get_broadcast, broadcast.id)
tell("broadcast.list", client.list_broadcasts, ListBroadcastsFilter(**of_session))
tell("broadcast.stop", client.stop_broadcast, broadcast.id)

tell("stream.list", client.list_streams, id)
tell("stream.get", client.get_stream, id, stream)
classes = StreamLayoutOptions(items=[StreamLayout(id=stream, layout_class_list=["full"])])
tell("stream.classes", client.change_stream_layout, id, classes)

signal = SignalData(type="chat", data="a")
tell("signal.all", client.send_signal, id, signal)
tell("signal.one", client.send_signal, id, signal, one["connectionId"])
tell("mute.stream", client.mute_stream, id, stream)
tell("mute.all", client.mute_all_streams, id, [stream])
tell("mute.end", client.disable_mute_all_streams, id)

speech = CaptionsOptions(session_id=id, token=token, max_duration=300, partial_captions=True)
captions = tell("captions.start", client.start_captions, speech)
tell("captions.stop", client.stop_captions, captions)

page = ExperienceComposerOptions(
    session_id=id, token=token, url="https://example.com/page", max_duration=60,
    resolution="1280x720", properties=ExperienceComposerProperties(name="a"),
)  # fmt: skip
render = tell("render.start", client.start_experience_composer, page)
tell("render.get", client.get_experience_composer, render.id)
few = ListExperienceComposersFilter(page_size=5)
tell("render.list", client.list_experience_composers, few)
tell("render.stop", client.stop_experience_composer, render.id)

phone = SipOptions(
    uri="sip:user@example.com;transport=tls", from_="a@example.com", headers={"X-a": "b"},
    auth=SipAuth(username="a", password="b"), secure=True,
)  # fmt: skip
dial = InitiateSipRequest(session_id=id, token=token, sip=phone)
call = tell("call.dial", client.initiate_sip_call, dial)
tell("call.digits", client.play_dtmf, id, "12p#")
tell("call.digits, one", client.play_dtmf, id, "12p#", call.connection_id)

socket = AudioConnectorWebSocket(
    uri="wss://example.com/a", streams=[stream], headers={"a": "b"}, audio_rate=16000,
    bidirectional=True, audio_transport={"transport": "json", "encoding": "base64"},
)  # fmt: skip
connect = AudioConnectorOptions(session_id=id, token=token, websocket=socket)
tell("audio.connect", client.start_audio_connector, connect)

tell("connection.disconnect", client.disconnect_client, id, other["connectionId"])
client.tell_uncalled()
