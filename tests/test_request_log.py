"""What the log holds: a line for each request, its id, and no secret."""

import json
import logging
import os
import pty
import re
import select
import socket
import subprocess
import sys

import pytest

from telemetry.logs import JSONFormatter
from tests.server_process import ROOT, Server

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJ5ZXMifQ.c2lnbmF0dXJl"


@pytest.fixture
def lines(server):
    """What the server writes from now on, each line read as JSON."""
    before = len(server.output())
    return lambda: [json.loads(line) for line in server.output()[before:].splitlines()]


def test_each_request_is_one_line_of_json(server, lines):
    server.get("/room/standup")
    server.get("/room/standup?e2ee=true")
    server.post("/archive/start", json={"sessionId": "nonsense"})
    server.request("OPTIONS", "/room/standup")
    server.get("/static/site.css")
    server.get("/nope/nothing")
    said = [(line["method"], line["route"], line["status"]) for line in lines()]
    assert said == [
        ("GET", "/room/<name>", 200),
        ("GET", "/room/<name>", 200),
        ("POST", "/archive/start", 400),
        ("OPTIONS", "(none)", 204),
        ("GET", "/static/<path>", 200),
        ("GET", "(none)", 404),
    ]


def test_a_line_tells_when_how_long_and_how_much(server, lines):
    answer = server.get("/room/standup")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["level"] == "info"
    assert line["bytes"] == len(answer.content)
    assert 0 < line["duration_ms"] < 30_000
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "key_prefix" not in line


def test_who_is_refused_is_named_if_the_operator_asks_for_it(opentok, transactional_db):
    variables = {"OPENTOK_API_URL": opentok.url, "TRUSTED_PROXIES": "1", "ANONYMOUS_ACCESS": "join"}
    for asked, named in (("on", "198.51.100.7"), ("off", None)):
        with Server(LOG_ADDRESSES=asked, **variables) as server:
            before = len(server.output())
            for path in "/archive", "/room/standup", "/room/%00":
                server.get(path, headers={"X-Forwarded-For": "198.51.100.7"})
            told = map(json.loads, server.output()[before:].splitlines())
            told = [line for line in told if "status" in line]
        assert [(line["status"], line.get("address")) for line in told] == [
            (401, named), (200, None), (400, None),
        ]  # fmt: skip


def test_a_method_of_ones_own_making_is_not_quoted(server, lines):
    server.request("BREW", "/room/x")
    assert [line["method"] for line in lines()] == ["other"]


def test_nothing_that_is_secret_or_private_reaches_the_log(server, opentok, lines):
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Api-Key": TOKEN, "Cookie": f"a={TOKEN}"}
    session = server.get(f"/room/private-name?token={TOKEN}").json()["sessionId"]
    opentok.connect(session)
    started = server.post(f"/archive/start?token={TOKEN}", json={"sessionId": session}).json()
    server.get(f"/archive/{started['id']}/view?token={TOKEN}", headers=headers)
    server.get(f"/nope/{TOKEN}?token={TOKEN}", headers=headers)
    server.get("/metrics", headers=headers)
    server.post(f"/admin/login/?token={TOKEN}", headers=headers | {"Referer": f"/?t={TOKEN}"})
    for fault in ({"status": 500}, {"status": 403, "body": {"message": f"bad token {TOKEN}"}}):
        opentok.fault(**fault)
        server.get(f"/room/other-private-name?token={TOKEN}")
    written = json.dumps(lines())
    assert len(lines()) >= 8
    for secret in (TOKEN, opentok.secret, session, "private-name", "?token", started["id"]):
        assert secret not in written


# The id of a request


def test_every_answer_has_an_id_of_its_own(server):
    ids = [server.get(path).headers["X-Request-ID"] for path in ("/", "/nope", "/session") * 5]
    assert all(re.fullmatch("[0-9a-f]{16}", given) for given in ids)
    assert len(set(ids)) == 15


@pytest.mark.parametrize(
    "given", ["a", "6f1c0d52-8d3b-4d5e-9f0a-1b2c3d4e5f60", "x" * 64, "A.b_c-1"]
)
def test_a_safe_id_is_taken_over(server, lines, given):
    answer = server.get("/nope", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == given
    assert answer.json()["requestId"] == given
    assert [line["request_id"] for line in lines()] == [given]


@pytest.mark.parametrize(
    "given",
    [b"x" * 65, b'hostile","level":"error', b"hostile\tx", b"hostile\x00x", b"hostile\rx",
     b"hostile\r\n hostile", b"hostile\xff", b"hostile{}", b"hostile x", b"", b"hostile%0a"],
)  # fmt: skip
def test_any_other_id_is_replaced_and_never_written(server, lines, given):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: ")
        client.sendall(given + b"\r\n\r\n")
        answer = client.makefile("rb").read()
    assert b"hostile" not in answer
    assert all(re.fullmatch("[0-9a-f]{16}", line["request_id"]) for line in lines())
    assert "hostile" not in json.dumps(lines())
    assert "x" * 65 not in json.dumps(lines())


@pytest.mark.parametrize(
    ("path", "body"), [("/room/standup?" + 1001 * "a&", ""), ("/archive/start", 1001 * "a&")]
)
def test_a_thousand_fields_are_one_line_and_no_traceback(server, lines, path, body):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.request("POST" if body else "GET", path, data=body, headers=form)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "1000 fields" in answer.json()["detail"]
    assert len(lines()) == 1


def test_an_error_is_logged_with_the_id_that_its_answer_has(server, opentok, lines):
    opentok.fault(status=403, body={"message": "Invalid signature"})
    answer = server.get("/archive")
    assert answer.status_code == 502
    reason, request = lines()
    assert reason["message"] == "502 opentok_refused_credentials 403 Invalid signature"
    assert (reason["level"], request["level"]) == ("warning", "error")
    assert reason["request_id"] == request["request_id"] == answer.json()["requestId"]


def test_an_error_page_has_the_id_to_quote(server):
    answer = server.get("/nope", headers={"Accept": "text/html"})
    assert answer.headers["X-Request-ID"] in answer.text
    form = server.post("/admin/login/", headers={"Accept": "text/html"})
    assert form.status_code == 403
    assert form.headers["X-Request-ID"] in form.text


def test_a_mistake_of_ours_is_logged_once_with_its_traceback_and_without_the_path(
    client, settings, caplog
):
    settings.OPENTOK = {}  # as it can never be
    client.raise_request_exception = False
    assert client.get("/room/private-name").status_code == 500
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info
    assert "private-name" not in caplog.text


@pytest.mark.parametrize(
    ("message", "reasons"), [("short", 40), ("short", 1), ("é" * 5000, 1), ("é" * 5000, 40)]
)
def test_a_line_is_short_enough_for_a_pipe_to_take_in_one_piece(message, reasons):
    error = ValueError("the first reason")
    for number in range(reasons):
        try:
            raise ValueError(f"reason {number}") from error
        except ValueError as raised:
            error = raised
    trouble = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("problems", logging.ERROR, "", 0, message, None, trouble)
    line = JSONFormatter().format(record)
    assert len(line) < select.PIPE_BUF
    told = json.loads(line)
    assert message.endswith(told["message"].lstrip("…"))
    assert ("the first reason" in told["exception"]) == (message == "short" and reasons == 1)
    if message == "short":
        assert told["exception"].endswith(f"ValueError: reason {reasons - 1}")


@pytest.mark.parametrize("path", ["/room/x", "/nope", "/session"])
def test_a_page_of_another_origin_may_read_the_id_and_when_to_come_back(server, path):
    exposed = server.get(path).headers["Access-Control-Expose-Headers"]
    assert {"X-Request-ID", "Retry-After"} <= set(exposed.split(", "))


# Other ways to run it


def get_in_a_process(stdout):
    """The status of a request to the application in a process with this standard output."""
    code = (
        "import os, config.wsgi; from django.test import Client; "
        "answers = [Client().get('/nope?token=x').status_code for _ in range(2)]; "
        "os._exit(answers != [404, 404])"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, check=False).returncode


def test_at_a_terminal_the_lines_are_words():
    mine, its = pty.openpty()
    assert get_in_a_process(stdout=its) == 0
    said = os.read(mine, 10_000).decode().splitlines()
    os.close(its)
    os.close(mine)
    line = r"\d\d:\d\d:\d\d GET \(none\) 404 [\d.]+ ms \([0-9a-f]{16}\)"
    assert all(re.fullmatch(line, written) for written in said)
    assert len(said) == 2


def test_a_log_that_nobody_takes_costs_no_answer():
    reader, writer = os.pipe()
    os.close(reader)
    assert get_in_a_process(stdout=writer) == 0
    os.close(writer)


def test_djangos_own_server_writes_the_same_lines(opentok, transactional_db):
    command = ["manage.py", "runserver", "--noreload", "127.0.0.1:{port}"]
    with Server(command=command, OPENTOK_API_URL=opentok.url) as server:
        server.get(f"/room/private-name?token={TOKEN}")
        assert '"route":"/room/<name>","status":200' in server.output()
        assert "private-name" not in server.output()
        assert TOKEN not in server.output()
