"""Who may do what: with nothing allowed to everybody, each call takes a key that may make it."""

import pytest

from access.capabilities import Capability
from access.models import ApiKey
from config.urls import urlpatterns
from tests.server_process import Server

# And how each is answered once it may be made; the start lacks a session.
CALLS = [
    ("join", "GET", "/session", 302),
    ("join", "GET", "/room/lobby", 200),
    ("join", "HEAD", "/room/lobby", 200),
    ("record", "POST", "/archive/start", 400),
    ("record", "POST", "/archive/{archive}/stop", 200),
    ("view", "GET", "/archive/{archive}", 200),
    ("view", "GET", "/archive/{archive}/view", 200),
    ("list", "GET", "/archive", 200),
]


@pytest.fixture(scope="module")
def _server(_emulator, django_db_setup, django_db_blocker):
    nothing = {"OPENTOK_API_URL": _emulator.url, "ANONYMOUS_ACCESS": "none"}
    with django_db_blocker.unblock(), Server(**nothing) as server:
        yield server


def bearer(*capabilities, **fields):
    key = ApiKey(name="a program", capabilities=list(capabilities), **fields)
    key.issue()
    return {"Authorization": f"Bearer {key.text}"}


@pytest.fixture
def archive(server, opentok):
    """The id of a recording of the room "lobby" that is under way."""
    headers = bearer("join", "record")
    session = server.get("/room/lobby", headers=headers).json()["sessionId"]
    opentok.connect(session)
    started = server.post("/archive/start", json={"sessionId": session}, headers=headers)
    return started.json()["id"]


@pytest.mark.parametrize(("capability", "method", "path", "status"), CALLS)
def test_without_its_capability_a_call_is_refused(
    server, opentok, archive, capability, method, path, status
):
    path = path.format(archive=archive)
    made = len(opentok.requests())
    refused = server.request(method, path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    others = bearer(*set(Capability.values) - {capability})
    lacking = server.request(method, path, headers=others)
    assert lacking.status_code == 403
    if method != "HEAD":
        assert refused.json()["code"] == "key_required"
        assert f"Send an API key that has `{capability}`" in refused.json()["detail"]
        assert lacking.json()["code"] == "capability_missing"
        assert f"does not have `{capability}`" in lacking.json()["detail"]
    assert len(opentok.requests()) == made


@pytest.mark.parametrize(("capability", "method", "path", "status"), CALLS)
def test_with_its_capability_alone_a_call_is_answered(
    server, archive, capability, method, path, status
):
    headers = bearer(capability)
    answer = server.request(method, path.format(archive=archive), headers=headers)
    assert answer.status_code == status


def test_unless_it_is_told_otherwise_a_server_lists_for_keys_alone(opentok, transactional_db):
    # A space counts as not set, and keeps a developer's `.env` out.
    with Server(OPENTOK_API_URL=opentok.url, ANONYMOUS_ACCESS=" ") as server:
        assert server.get("/archive").json()["code"] == "key_required"
        assert server.get("/archive", headers=bearer("list")).json() == []
        assert server.get("/room/lobby").status_code == 200
        # What everybody may do, nobody may do less with a key.
        assert server.get("/room/lobby", headers=bearer("list")).status_code == 200


def test_a_browser_is_told_on_a_page(server):
    page = server.get("/room/lobby", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert page.headers["Content-Type"].startswith("text/html")
    assert "ANONYMOUS_ACCESS" in page.text


def test_the_pages_about_the_server_are_for_everybody(server):
    assert [server.get(path).status_code for path in ("/", "/readme")] == [200, 200]


def test_a_wrong_method_is_said_to_be_that(server):
    assert server.post("/archive").status_code == 405


def test_each_view_of_the_api_says_what_it_needs():
    for view in views(urlpatterns):
        if not view.cls.permission_classes:
            continue  # for everybody
        needs = view.cls.needs
        if isinstance(needs, dict):
            assert set(view.actions.values()) <= needs.keys()
            needs = {f"{view.cls.__name__}.{action}": each for action, each in needs.items()}
        else:
            needs = {view.cls.__name__: needs}
        by_id = {action for action, needed in needs.items() if needed is None}
        assert by_id <= {"CaptionsViewSet.stop"}  # whose id cannot be guessed
        assert set(needs.values()) - {None} <= set(Capability)


def views(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns)
        elif hasattr(pattern.callback, "cls"):
            yield pattern.callback
