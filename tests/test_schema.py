"""/api/schema/ and /api/docs/: what they say is all there is, and they need nobody else's server."""

import ast
import json
import re
from concurrent.futures import ThreadPoolExecutor

from rest_framework.exceptions import APIException

from api.openapi.schema import every_code
from api.openapi.views import schema
from live.models import Kind
from tests.api_client import Program
from tests.server_process import ROOT, Server, Started
from web.errors import CODES as TABLE

NOT_THE_SERVER = {"bench", "emulator", "scripts", "tests", "tests_call", "tests_sdks"}
SOURCES = [
    path
    for package in ROOT.glob("*/__init__.py")
    if package.parent.name not in NOT_THE_SERVER
    for path in package.parent.rglob("*.py")
]
DESCRIBED = json.loads(schema("json"))
CODES = {code.code: code for code in every_code()}


OF_THE_FRAMEWORK = {"invalid", "parse_error", "method_not_allowed", "unsupported_media_type"}


def raised_codes():
    """Each text that the code of the server makes a Problem with, or has OpenTok's refusals mean."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            text = ast.unparse(node)
            if isinstance(node, ast.Call):
                yield from re.findall(r"^(?:Problem|VideoError|super\(\)\.__init__)\('(\w+)'", text)
            if isinstance(node, ast.keyword) and node.arg == "refusals":
                yield from re.findall(r"'(\w+)'", text)


def test_what_was_asked_for_before_changes_nothing(client, db):
    for path in ("/room/standup", "/archive", "/api/v1/rooms"):
        client.head(path)
    schema.cache_clear()
    assert json.loads(schema("json")) == DESCRIBED


def test_every_code_is_documented_with_its_meaning_and_what_to_do():
    raised = {*raised_codes(), *(f"{kind}_not_found" for kind in Kind.values)}
    assert raised == TABLE.keys() - OF_THE_FRAMEWORK
    assert TABLE.keys() <= CODES.keys()
    enum = DESCRIBED["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert set(enum) == CODES.keys()
    for code in CODES.values():
        assert len(code.meaning) > 5
        assert len(code.advice) > 5
        assert code.advice != APIException.default_detail  # what it is if nobody wrote one
        assert (
            f"| {code.status} | `{code.code}` | {code.meaning} | "
            in DESCRIBED["info"]["description"]
        )


def test_the_page_of_errors_lists_every_code_once_with_its_status_title_and_advice():
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\d{3}) \| (.+?) \| (.+?) \|$", text)
    listed = sorted((int(status), code, title) for code, status, title, _ in rows)
    assert listed == sorted((code.status, code.code, code.meaning) for code in CODES.values())
    assert all(len(advice) > 15 for *_, advice in rows)


def described_codes(path, method):
    responses = DESCRIBED["paths"][path][method]["responses"].values()
    return set(re.findall(r"`(\w+)`", " ".join(each["description"] for each in responses)))


def test_whatever_hands_out_access_to_a_room_describes_the_refusals_of_its_policy():
    refusals = {"access_code_required", "consent_required", "admission_required", "room_closed"}
    for path, method in (
        ("/room/{name}", "get"),
        ("/sip/{name}", "get"),
        ("/sip/{name}/dial", "post"),
    ):
        assert refusals <= described_codes(path, method), path
    assert refusals.isdisjoint(described_codes("/sip/{name}/hangup", "post"))
    assert {"admission_not_required", "waiting_room_full"} <= described_codes(
        "/waiting/{name}", "post"
    )
    assert "guest_not_found" in described_codes("/waiting/{name}", "delete")


def test_a_problem_has_the_title_that_the_documentation_has(server):
    seen = set()
    for body, headers in [
        ("{", {"Content-Type": "application/json"}),
        ("{}", {"Content-Type": "application/json"}),
        ("x", {"Content-Type": "text/plain"}),
    ]:
        problem = server.post("/archive/start", data=body, headers=headers).json()
        assert problem["title"] == CODES[problem["code"]].meaning
        seen.add(problem["code"])
    assert server.post("/session").json()["title"] == CODES["method_not_allowed"].meaning
    assert seen == {"parse_error", "invalid", "unsupported_media_type"}


def test_no_problem_has_a_code_of_its_own_making():
    """They all come from the table: a literal would be missing in the documentation."""
    for path in SOURCES:
        assert 'code="' not in path.read_text(), path


def test_the_schema_is_for_everybody_as_json_or_yaml(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, ANONYMOUS_ACCESS="none") as server:
        found = server.get("/api/schema/", headers={"Accept": "text/html"})
        assert found.headers["Content-Type"] == "application/json"
        assert found.json()["openapi"] == "3.1.0"
        for path, accept in (
            ("/api/schema", "application/yaml"),
            ("/api/schema/?format=yaml", "*/*"),
        ):
            found = server.get(path, headers={"Accept": accept})
            assert found.headers["Content-Type"] == "application/yaml"
            assert found.text.startswith("openapi: 3.1.0")


def test_the_schema_is_the_same_in_each_process_whatever_was_asked_before(
    opentok, transactional_db
):
    told = []
    for seed in ("1", "2", "3"):
        variables = {"WEB_CONCURRENCY": "1", "PYTHONHASHSEED": seed}
        with Started(OPENTOK_API_URL=opentok.url, **variables) as server:
            if seed == "3":
                assert server.get("/api/v1/rooms").status_code == 401
            told.append(server.get("/api/schema/").text)
    assert told[0] == told[1] == told[2]


def test_the_schema_asked_for_by_eight_at_once_after_a_start_is_the_same_for_all(
    opentok, transactional_db
):
    kinds = ["json", "yaml"] * 4
    with (
        Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1") as server,
        ThreadPoolExecutor(8) as crowd,
    ):
        answers = list(crowd.map(lambda kind: server.get(f"/api/schema/?format={kind}"), kinds))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.content for answer in answers}) == 2


def test_each_body_has_an_example_that_is_accepted(server, opentok):
    program = Program(server, can="manage,moderate,broadcast,caption,call")
    session = program.post("rooms", name="lobby").json()["sessionId"]
    opentok.connect(session)
    archive = program.post("archives", room="lobby").json()["id"]
    outputs = {"hls": {}}
    tagged = program.post("rooms/lobby/broadcasts", outputs=outputs, multiBroadcastTag="other")
    broadcast = tagged.json()["id"]
    call = program.post("rooms/lobby/calls", uri="sip:1@sip.example").json()["id"]
    program.patch("rooms/lobby", waitingRoom=True)
    server.request("POST", "/waiting/lobby", json={"name": "Ben"})
    guest = program.get("rooms/lobby/guests").json()["items"][0]["id"]
    hook = program.post("webhooks", url="https://example.com/", events=["*"]).json()["id"]
    sent = 0
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/v1/") and "requestBody" in operation:
                media = operation["requestBody"]["content"]["application/json"]
                (example,) = [each["value"] for each in media["examples"].values()]
                activity = broadcast if "broadcasts" in path else call
                url = path.removeprefix("/api/v1/").format(
                    name="lobby",
                    archive_id=archive,
                    activity_id=activity,
                    guest_id=guest,
                    webhook_id=hook,
                )
                answer = program.call(method.upper(), url, json=example)
                # Nobody is in the room of the example, and its stream is none of a room's.
                assert answer.status_code in {200, 201, 204} or answer.json()["code"] in {
                    "nobody_connected", "streams_not_manual", "layout_classes_refused", "no_meeting",
                }, answer.text  # fmt: skip
                sent += 1
    assert sent == 24


def test_the_schema_says_what_takes_a_key_here(server, opentok):
    def needs_key(server, path, method):
        security = server.get("/api/schema/").json()["paths"][path][method]["security"]
        return {} not in security

    assert not needs_key(server, "/room/{name}", "get")
    assert needs_key(server, "/api/v1/rooms", "get")
    with Server(OPENTOK_API_URL=opentok.url, ANONYMOUS_ACCESS="none") as closed:
        assert needs_key(closed, "/room/{name}", "get")


def test_the_documentation_is_a_page_that_needs_no_other_server(server):
    page = server.get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "default-src 'none'; script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<style" not in page.text
    assert "style=" not in page.text
    needed = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)
    assert len(needed) == 6
    for address in needed:
        assert server.get(address).status_code == 200
    assert re.findall(r"<script[^>]*>([^<]+)", page.text) == []


def test_the_index_leads_to_the_documentation(server):
    assert 'href="/api/docs/"' in server.get("/").text
