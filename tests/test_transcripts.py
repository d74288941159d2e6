"""The transcript of a recording: its state in words, and its lines, fetched anew each time."""

import io
import json
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from archives.models import Archive
from rooms.models import Room
from tests.test_admin_actions import ARCHIVES, staff
from tests.test_admin_recordings import made, page
from video import transcripts
from video.errors import VideoError
from video.transcripts import Line
from video.transport import MAX_ANSWER_BYTES

pytestmark = pytest.mark.django_db

SPOKEN = {
    "content": [
        {"start_ms": 61_500, "speaker": "Ben", "text": "Good morning. <b>"},
        {"start_ms": 2_000, "speaker": "Anna", "text": "Hello."},
        {"text": "…"},
    ]
}


def recorded(opentok, **options):
    """An available recording."""
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    archive_id = Archive.objects.start(room.session_id, **options)["id"]
    Archive.objects.stop(archive_id)
    opentok.advance(10)
    Archive.objects.fetch(archive_id)
    return Archive.objects.get(pk=archive_id)


@pytest.fixture
def archive(opentok):
    return recorded(opentok, output_mode="individual", has_transcription=True)


def test_a_transcript_is_read_on_a_page_of_its_own(admin_client, archive, opentok):
    path = f"{ARCHIVES}{archive.pk}/transcript/"
    assert f'<a href="{path}">Read it</a>' in page(admin_client, archive)
    shown = admin_client.get(path)
    text = shown.content.decode()
    assert re.search(
        r"<td>0:00</td>\s*<th scope=\"row\"><bdi>auto</bdi></th>\s*<td><bdi>Hello.", text
    )
    assert "in en-US" in text
    assert "no-store" in shown.headers["Cache-Control"]
    assert opentok.url not in text


def test_its_file_is_downloaded_by_a_fresh_link_each_time(admin_client, archive, opentok):
    path = f"{ARCHIVES}{archive.pk}/transcript-file/"
    links = {admin_client.get(path).headers["Location"] for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith(opentok.url) for link in links)
    assert "Signature" not in json.dumps(Archive.objects.get().details)


def test_a_recording_of_single_streams_is_no_video_to_play(admin_client, archive):
    text = page(admin_client, archive)
    assert ">Download</a>" in text
    assert "<video" not in text


def test_a_recording_without_a_transcript_says_nothing_of_one(admin_client, opentok):
    row = recorded(opentok)
    assert "Transcript:" not in page(admin_client, row)
    told = admin_client.get(f"{ARCHIVES}{row.pk}/transcript/", follow=True)
    assert "There is no transcript to read now." in told.content.decode()


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"status": "requested"}, "started", "made once the recording has ended"),
        ({"status": "started"}, "available", "being made"),
        ({"status": "failed", "reason": "no <i>speech"}, "available", "failed: no &lt;i&gt;speech"),
        ({"status": "failed", "reason": None}, "available", "failed"),
        ({"status": "uploaded"}, "uploaded", "in your own storage"),
        ({"status": 7}, "available", "not made yet"),
        ({"status": "available"}, "expired", "gone: the recording is expired"),
    ],
)
def test_what_becomes_of_a_transcript_is_said(admin_client, told, status, words):
    row = made(status=status, details={"transcription": told})
    text = page(admin_client, row)
    assert f'<div class="readonly">{words}</div>' in text
    assert "Read it" not in text


def test_staff_who_may_not_see_recordings_read_no_transcript(archive):
    client = staff("view_room")
    for name in ("transcript", "transcript-file"):
        assert client.get(f"{ARCHIVES}{archive.pk}/{name}/").status_code == 403


def test_a_file_that_is_away_is_said(admin_client, archive, opentok):
    opentok.fault(status=500, path="/archive", times=5)
    told = admin_client.get(f"{ARCHIVES}{archive.pk}/transcript/", follow=True)
    assert "The video service" in told.content.decode()


# What the file may be


@pytest.fixture
def storage():
    """Serves `answer` (status, headers, body) at its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = server.answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}/t.json?Signature=x"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def zipped(content, name="transcription.json", method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def broken(content):
    """The first bytes of what is compressed are others: it stands behind a name and its length."""
    start = content.index(b".json") + len(b".json")
    return content[:start] + b"\xff" * 12 + content[start + 12 :]


@pytest.mark.parametrize("pack", [lambda text: text.encode(), zipped], ids=["json", "zip"])
def test_lines_come_in_the_order_of_their_times(storage, pack):
    storage.answer = 200, {}, pack(json.dumps(SPOKEN))
    assert transcripts.download(storage.url) == [
        Line(None, "", "…"),
        Line(2_000, "Anna", "Hello."),
        Line(61_500, "Ben", "Good morning. <b>"),
    ]


def test_a_time_that_can_be_none_is_not_shown(storage):
    spoken = [{"text": "Hi.", "start": start} for start in (10**18, -1, 10**400)]
    storage.answer = 200, {}, json.dumps(spoken).encode()
    assert [line.start for line in transcripts.download(storage.url)] == [None] * 3


def test_sentences_of_channels_are_lines_as_well(storage):
    spoken = {"channels": [{"transcript": [{"sentence": "Hi.", "timestamp": 5, "words": [{}]}]}]}
    storage.answer = 200, {}, json.dumps(spoken).encode()
    assert transcripts.download(storage.url) == [Line(5, "", "Hi.")]


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, {}, b""),
        (302, {"Location": "http://127.0.0.1:9/"}, b""),
        (200, {}, b"<h1>no JSON"),
        (200, {}, b"{}"),
        (200, {}, b"[" * 100_000),
        (200, {}, b"PK\x03\x04 and no more"),
        (200, {}, zipped("{}", "readme.txt")),
        (200, {}, broken(zipped("{}", method=zipfile.ZIP_LZMA))),
        (200, {}, broken(zipped("{}", method=zipfile.ZIP_BZIP2))),
        (200, {}, zipped(" " * (MAX_ANSWER_BYTES + 1))),
        (200, {"Content-Length": str(MAX_ANSWER_BYTES + 2)}, b" " * (MAX_ANSWER_BYTES + 2)),
    ],
    ids=["gone", "moved", "HTML", "empty", "deep", "half a ZIP", "a ZIP of other things",
         "broken LZMA", "broken bzip2",
         "a bomb", "too large"],
)  # fmt: skip
def test_what_is_no_transcript_is_refused(storage, status, headers, body):
    storage.answer = status, headers, body
    with pytest.raises(VideoError) as refused:
        transcripts.download(storage.url)
    assert refused.value.code == "opentok_failed"
    assert "Signature" not in refused.value.reason


@pytest.mark.parametrize("url", ["file:///etc/passwd", "//x", "http://x@y/", 7, "javascript:1"])
def test_a_link_that_is_no_web_address_is_not_followed(url):
    with pytest.raises(VideoError):
        transcripts.link_to({"transcription": {"status": "available", "url": url}})
