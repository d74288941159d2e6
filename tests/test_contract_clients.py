"""Conversations of the clients that were written against the sample server, byte for byte.

They go through a plain socket: an HTTP library would mend what these clients send. The server is as
it is in production when an operator says no more than what its OpenTok project is: nobody has a key.
"""

import json
import socket
from http.client import HTTPResponse

import pytest

from tests.server_process import Server

JQUERY = (
    "Accept: */*\r\n"
    "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
    "X-Requested-With: XMLHttpRequest\r\n"
)
OKHTTP = "Accept-Encoding: gzip\r\nUser-Agent: okhttp/4.12.0\r\n"
CFNETWORK = "Accept: */*\r\nAccept-Language: en-us\r\nUser-Agent: Archiving/1 CFNetwork/1410\r\n"
FETCH = "Accept: */*\r\nOrigin: https://web.example\r\nReferer: https://web.example/\r\n"
NAVIGATION = (
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Mode: navigate\r\nUpgrade-Insecure-Requests: 1\r\n"
)
JSON = "Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def _server(_emulator, django_db_setup, django_db_blocker):
    # A space counts as not set, and keeps a developer's `.env` out.
    unset = dict.fromkeys(["ANONYMOUS_ACCESS", "ROOM_CREATION", "TOKEN_ROLE", "TOKEN_TTL"], " ")
    with django_db_blocker.unblock(), Server(OPENTOK_API_URL=_emulator.url, **unset) as server:
        yield server


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def send(server, request_line, headers="", body=None):
    """Without a body there is no Content-Length either: say `body=""` for an empty one."""
    if body is not None:
        headers += f"Content-Length: {len(body.encode())}\r\n"
    message = f"{request_line} HTTP/1.1\r\nHost: rooms.example\r\n{headers}\r\n{body or ''}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(message.encode())
        response = HTTPResponse(connection)
        response.begin()
        return Answer(response)


def credentials(server, headers):
    """As every client begins: GET /session, and on to where that leads on the same host."""
    redirect = send(server, "GET /session", headers)
    assert redirect.status == 302
    assert redirect.headers["Access-Control-Allow-Origin"] == "*"
    assert redirect.headers["Location"].startswith("/room/")
    answer = send(server, f"GET {redirect.headers['Location']}", headers)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get_content_type() == "application/json"
    found = answer.json()
    assert all(found[key] and isinstance(found[key], str) for key in ("sessionId", "token"))
    return found


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(FETCH, id="fetch"),
        pytest.param(JQUERY, id="jQuery"),
        pytest.param(OKHTTP, id="OkHttp"),
        pytest.param(CFNETWORK, id="CFNetwork"),
        pytest.param(NAVIGATION, id="address bar"),
        pytest.param("", id="no headers"),
    ],
)
def test_every_client_finds_the_three_strings_it_needs(server, opentok, headers):
    assert credentials(server, headers)["apiKey"] == opentok.api_key


def test_the_web_sample_records_and_views(server, opentok):
    session_id = credentials(server, FETCH)["sessionId"]
    opentok.connect(session_id)
    preflight = (
        "Origin: https://web.example\r\n"
        "Access-Control-Request-Method: POST\r\n"
        "Access-Control-Request-Headers: content-type\r\n"
    )
    allowed = send(server, "OPTIONS /archive/start", preflight)
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Headers"] == "content-type"
    body = json.dumps({"sessionId": session_id})
    archive = send(server, "POST /archive/start", FETCH + JSON, body).json()
    assert archive["status"] == "started"
    assert send(server, f"OPTIONS /archive/{archive['id']}/stop", preflight).status == 204
    stopped = send(server, f"POST /archive/{archive['id']}/stop", FETCH + JSON, "{}").json()
    assert stopped["status"] == "stopped"
    page = send(server, f"GET /archive/{archive['id']}/view", NAVIGATION)
    assert (page.status, page.headers.get_content_type()) == (200, "text/html")
    opentok.advance(60)
    link = send(server, f"GET /archive/{archive['id']}/view", NAVIGATION).headers["Location"]
    assert link.startswith(opentok.url)


def test_the_web_sample_can_show_why_nothing_was_recorded(server):
    session_id = credentials(server, FETCH)["sessionId"]
    body = json.dumps({"sessionId": session_id})
    answer = send(server, "POST /archive/start", FETCH + JSON, body)
    assert not 200 <= answer.status < 300
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["error"].startswith("Nobody is connected")


def test_the_accelerator_records_with_a_jquery_form(server, opentok):
    session_id = credentials(server, JQUERY)["sessionId"]
    opentok.connect(session_id)
    answer = send(server, "POST /archive/start", JQUERY, f"sessionId={session_id}")
    assert answer.status == 200
    assert answer.headers.get_content_type() == "application/json"
    assert answer.json()["id"]


def test_retrofit_stops_with_neither_body_nor_content_type(server, opentok):
    session_id = credentials(server, OKHTTP)["sessionId"]
    opentok.connect(session_id)
    utf8 = "Content-Type: application/json; charset=UTF-8\r\n"
    body = json.dumps({"sessionId": session_id}, separators=(",", ":"))
    archive = send(server, "POST /archive/start", OKHTTP + utf8, body).json()
    answer = send(server, f"POST /archive/{archive['id']}/stop", OKHTTP, "")
    assert answer.status == 200
    assert answer.json()["status"] == "stopped"


def test_ios_starts_with_pretty_printed_json_and_stops_with_nothing(server, opentok):
    session_id = credentials(server, CFNETWORK)["sessionId"]
    opentok.connect(session_id)
    body = '{\n  "sessionId" : "%s"\n}' % session_id  # noqa: UP031
    answer = send(server, "POST /archive/start", CFNETWORK + JSON, body)
    assert answer.status == 200
    answer = send(server, f"POST /archive/{answer.json()['id']}/stop", CFNETWORK)
    assert answer.status == 200
    assert answer.json()["status"] == "stopped"


def test_vonages_samples_stop_with_a_json_type_and_nothing_in_it(server, opentok):
    session_id = credentials(server, FETCH)["sessionId"]
    opentok.connect(session_id)
    body = json.dumps({"sessionId": session_id})
    archive = send(server, "POST /archive/start", FETCH + JSON, body).json()
    answer = send(server, f"POST /archive/{archive['id']}/stop", FETCH + JSON, "")
    assert answer.status == 200
    assert answer.json()["status"] == "stopped"


def test_vonages_transcription_sample_polls_for_its_transcription(server, opentok):
    found = credentials(server, FETCH)
    assert found["applicationId"] == found["apiKey"]
    opentok.connect(found["sessionId"])
    body = json.dumps(
        {"sessionId": found["sessionId"], "hasTranscription": True, "outputMode": "composed"}
    )
    archive = send(server, "POST /archive/start", FETCH + JSON, body).json()
    poll = f"GET /archive/{archive['id']}"
    assert send(server, poll, FETCH).json()["transcription"]["status"] == "requested"
    send(server, f"POST /archive/{archive['id']}/stop", FETCH + JSON, "{}")
    opentok.advance(60)
    assert send(server, poll, FETCH).json()["transcription"]["status"] == "available"


# Names that nobody encoded


@pytest.mark.parametrize(
    ("segment", "encoded"),
    [
        pytest.param("catererId:consumerId", "catererId%3AconsumerId", id="colon"),
        pytest.param("a|b[c]^d{e}", "a%7Cb%5Bc%5D%5Ed%7Be%7D", id="what fetch leaves as it is"),
        pytest.param("it's", "it%27s", id="apostrophe"),
        pytest.param("Zürich", "Z%C3%BCrich", id="raw UTF-8"),
        pytest.param("%c3%bc", "%C3%BC", id="lower-case encoding"),
        pytest.param(".", "%2E", id="dot"),
        pytest.param("..", "%2E%2E", id="two dots"),
    ],
)
def test_a_name_is_one_room_encoded_or_not(server, opentok, segment, encoded):
    raw = send(server, f"GET /room/{segment}")
    assert raw.status == 200
    assert raw.json()["sessionId"] == send(server, f"GET /room/{encoded}").json()["sessionId"]
    assert len(opentok.requests()) == 1


@pytest.mark.parametrize("segment", ["%E0%A4%A", "%FF", "a%C3"])
def test_what_decodes_to_no_text_is_a_400(server, opentok, segment):
    answer = send(server, f"GET /room/{segment}")
    assert answer.status == 400
    assert answer.json()["error"]
    assert opentok.requests() == []


def test_a_body_is_refused_by_its_length_before_it_is_sent(server):
    answer = send(server, "POST /archive/start", JSON + "Content-Length: 104857600\r\n")
    assert answer.status == 413
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["error"]


def test_a_chunked_body_is_a_411(server, opentok):
    headers = JSON + "Transfer-Encoding: chunked\r\n"
    answer = send(server, "POST /archive/start", headers + "\r\n2\r\n{}\r\n0\r\n")
    assert answer.status == 411
    assert answer.json()["error"]
    assert opentok.requests() == []
