"""The download links of the emulator's recordings."""

import io
import re
import subprocess
import zipfile
from pathlib import Path
from shutil import which

import pytest
import requests
from opentok import Client, MediaModes

import emulator as package

pytestmark = pytest.mark.usefixtures("unmodified_sdk")
OPTIONS = ["--speed", "0", "--auto-connect"]

FILE = Path(package.__file__).with_name("recording.mp4")
RECORDING = FILE.read_bytes()
SIZE = len(RECORDING)


def record(emulator, **fields):
    """Record something. Returns the path of the archive, which is available."""
    client = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
    session_id = client.create_session(media_mode=MediaModes.routed).session_id
    body = {"sessionId": session_id, **fields}
    archive_id = emulator.call("POST", emulator.archives_path, json=body).json()["id"]
    path = f"{emulator.archives_path}/{archive_id}"
    emulator.call("POST", f"{path}/stop")
    emulator.advance(5)
    return path


def url_of(emulator, path):
    return emulator.call("GET", path).json()["url"]


@pytest.fixture
def path(emulator):
    return record(emulator)


@pytest.fixture
def url(emulator, path):
    return url_of(emulator, path)


def download(url, **headers):
    return requests.get(url, headers=headers, timeout=10)


def test_the_recording_is_a_small_mp4_that_plays_while_it_loads():
    assert len(RECORDING) < 40_000
    assert RECORDING[4:8] == b"ftyp"
    assert RECORDING.index(b"moov") < RECORDING.index(b"mdat")


@pytest.mark.skipif(which("ffprobe") is None, reason="ffprobe is not installed")
def test_the_recording_has_video_and_sound():
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    output = subprocess.run([*command, FILE], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["h264", "aac"]


def test_a_link_leads_to_the_recording(emulator, url):
    assert url.startswith(emulator.url + "/")
    answer = download(url)
    assert (answer.status_code, answer.content) == (200, RECORDING)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_link_leads_to_the_host_that_the_request_came_to(emulator, path):
    answer = emulator.call("GET", path, headers={"Host": "emulator.test:81"})
    assert answer.json()["url"].startswith("http://emulator.test:81/")
    answer = emulator.call("GET", path, headers={"Host": "no host/at all?"})
    assert answer.json()["url"].startswith(emulator.url + "/")


def test_each_look_gives_another_link(emulator, path):
    listed = emulator.call("GET", emulator.archives_path).json()["items"][0]["url"]
    links = {url_of(emulator, path), url_of(emulator, path), listed}
    assert len(links) == 3
    assert all(download(link).content == RECORDING for link in links)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=100-999999999", 100, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        ("bytes=-999999999", 0, SIZE - 1),
    ],
)
def test_players_can_ask_for_a_part(url, asked, first, last):
    answer = download(url, Range=asked)
    assert (answer.status_code, answer.content) == (206, RECORDING[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", "bytes=9999999-99999999"])
def test_a_part_that_is_not_there_is_a_416(url, asked):
    answer = download(url, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "x"])
def test_a_range_that_makes_no_sense_is_ignored(url, asked):
    answer = download(url, Range=asked)
    assert (answer.status_code, answer.content) == (200, RECORDING)


def test_the_head_of_a_recording_can_be_had_alone(url):
    answer = requests.head(url, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(SIZE)


def test_nothing_else_can_be_done_with_a_link(url):
    for method in ("POST", "PUT", "DELETE"):
        assert requests.request(method, url, timeout=10).status_code == 405


def test_a_link_works_for_ten_minutes(emulator, path, url):
    emulator.advance(599)
    assert download(url).status_code == 200
    emulator.advance(1)
    answer = download(url)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/xml"
    assert "<Code>AccessDenied</Code>" in answer.text
    assert "expired" in answer.text
    assert download(url_of(emulator, path)).status_code == 200


def test_a_changed_link_is_refused(url):
    other = "00000000-0000-4000-8000-000000000000"
    for changed in (
        re.sub("Expires=[0-9]+", "Expires=99999999999999", url),
        re.sub("Nonce=.", "Nonce=~", url),
        re.sub("Signature=.*", "Signature=" + "0" * 64, url),
        re.sub("Signature=.*", "Signature=%C3%A9", url),
        re.sub("[0-9a-f-]{36}", other, url),
        url.split("?")[0],
        url + "&a=1" * 200,
    ):
        answer = download(changed)
        assert answer.status_code == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in answer.text


def test_what_no_link_leads_to_is_not_found(url):
    assert download(url.replace("/archive.mp4", "/archive.txt")).status_code == 404


def test_a_link_ends_with_its_file(emulator, path):
    emulator.advance(72 * 3600 - 60)
    url = url_of(emulator, path)
    emulator.advance(60)
    assert download(url).status_code == 404


def test_a_deleted_recording_is_gone(emulator, path, url):
    emulator.call("DELETE", path)
    assert download(url).status_code == 404


def test_individual_recordings_come_in_a_zip(emulator):
    path = record(emulator, outputMode="individual")
    body = emulator.call("GET", path).json()
    answer = download(body["url"])
    assert answer.headers["Content-Type"] == "application/zip"
    assert len(answer.content) == body["size"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.read("stream.mp4") == RECORDING
