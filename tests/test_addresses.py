"""Each room has one address, and an address at most one room, whatever its name is made of."""

import io
import unicodedata
from urllib.parse import unquote

import pytest
from django.http import Http404
from django.urls import resolve, set_script_prefix
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rooms.models import Room
from rooms.names import clean_name
from rooms.paths import path_to
from tests.api_client import Program, refusal
from tests.server_process import Server
from web.errors import Problem
from web.request import Request

many = settings(max_examples=300, derandomize=True, deadline=None)

# In what is drawn here a slash, a percent sign and a word of a route are far more likely.
PIECES = ["/", "//", "%", "%2F", "%2f", "%25", "%252F", "%2", "session", "tokens", "room", "rooms",
          "a", " ", ".", "..", "é", "e\u0301", "?", "#", ";", "+", "\\", ":", "會", "🎥"]  # fmt: skip
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
names = st.lists(st.sampled_from(PIECES) | letters, min_size=1, max_size=12).map("".join)
ENCODED = ["%C3%A9", "%20", "%3F", "%2e", "%61", "/session", "/tokens", "/room/", "/api/v1/rooms/"]
SENT = [piece for piece in PIECES if piece not in {"?", "#"}] + ENCODED
NOT_TEXT = "not text"  # web/checks.py refuses it
paths = (
    st.tuples(
        st.sampled_from(["/room/", "/api/v1/rooms/", "/room", "/api/v1/rooms", "/", ""]),
        st.lists(st.sampled_from(SENT), max_size=8).map("".join),
    )
    .map("".join)
    .filter(bool)
)


def request(sent, **environ):
    """The request for a path as it was sent, which may be no ASCII."""
    sent = sent.encode().decode("latin-1")
    wsgi = {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO(), "PATH_INFO": "/room/not-this-one",
            "RAW_URI": sent}  # fmt: skip
    return Request(wsgi | environ)


def room_at(sent):
    """The route that the path leads to, and the name in it; None where there is none."""
    asked = request(sent)
    if not asked.path_is_utf8:
        return NOT_TEXT
    try:
        match = resolve(asked.path_info)
    except Http404:
        return None
    name = match.kwargs.get("name")
    return name and (match.route.rstrip("/").partition(":name>")[2], clean_name_or_none(name))


def clean_name_or_none(name):
    try:
        return clean_name(name)
    except Problem:
        return None


@many
@given(name=names, view=st.sampled_from(["room", "api-room"]))
def test_the_address_of_any_name_leads_to_it_and_to_no_other_route(name, view):
    name = clean_name_or_none(name)
    if name is None:
        return
    path = path_to(view, name)
    assert path.isascii()
    assert path.count("/") == {"room": 2, "api-room": 4}[view]
    assert room_at(path) == room_at(path + "/") == ("", name)
    assert room_at(path + "//") is None


def expected(sent):
    """What a path means by the rules of docs/api.md, without a URL resolver."""
    try:
        unquote(sent, errors="strict")
    except UnicodeDecodeError:
        return NOT_TEXT
    path = sent.removesuffix("/")
    for above, routes in (("/room/", {""}), ("/api/v1/rooms/", {"", "/session", "/tokens"})):
        for route in sorted(routes, reverse=True):
            rest = path.removeprefix(above).removesuffix(route)
            if path != above + rest + route or not all(rest.split("/")):
                continue
            # Below /room/ nothing follows a name, and its slashes may be written as they are.
            if above == "/room/" or "/" not in rest:
                return route, clean_name_or_none(unquote(rest))
    return None


@many
@given(sent=paths)
@example(sent="/room/%aa")
@example(sent="/api/v1/rooms/a%aa/session")
def test_any_path_means_at_most_one_room_which_is_the_one_of_its_segment_decoded_once(sent):
    assert room_at(sent) == expected(sent)


@many
@given(sent=paths.filter(lambda path: path.startswith("/")), query=st.sampled_from(["", "?a=%2F"]))
def test_the_full_path_of_a_request_leads_to_the_same_place_and_is_no_other_paths(sent, query):
    whole = request(sent, QUERY_STRING=query[1:])
    again = request(whole.get_full_path())
    assert again.path_info == whole.path_info
    assert whole.get_full_path().endswith(query)
    assert "not-this-one" not in whole.path
    # So that two paths with one full path are one to the URL resolver as well.
    assert again.get_full_path() == whole.get_full_path().removesuffix(query)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/room/x?y=/a", "/room/x"),
        ("/room/x#y", "/room/x"),
        ("http://host:80/room/a%2Fb?x", "/room/a%2Fb"),
        ("HTTPS://u@[::1]/room/x", "/room/x"),
        ("http://host", "/"),
        ("http://host?/room/x", "/"),
        ("//room/x", "//room/x"),
        ("/room/http://x/y", "/room/http://x/y"),
        ("/room/%68ttp:%2F%2Fx", "/room/http:%2F%2Fx"),
        ("*", "*"),
    ],
)
def test_a_path_is_found_in_any_form_of_a_request_line(sent, seen):
    assert request(sent).path_info == seen
    assert request("", REQUEST_URI=sent).path_info == seen


def test_the_path_of_an_application_below_another_path_begins_after_that():
    below = request("/app/room/a%2Fb?x", SCRIPT_NAME="/app", PATH_INFO="/room/a/b")
    assert (below.path_info, below.path) == ("/room/a%2Fb", "/app/room/a%2Fb")
    assert below.get_full_path() == "/app/room/a%2Fb"
    try:
        set_script_prefix("/app")
        assert path_to("room", "a/b") == "/app/room/a%2Fb"
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize("sent", ["/room/%FF", "/room/caf%E9/x", "/%E0%A4", "/room/%ED%A0%80"])
def test_a_path_that_is_not_utf8_is_refused_whatever_path_info_says(client, sent):
    for name in ("RAW_URI", "REQUEST_URI"):
        assert refusal(client.get("/healthz/x", **{name: sent})) == (400, "address_not_text")


# From outside


@pytest.mark.parametrize(("name", "neighbour"), [("sl/", "sl"), ("%2F", "/"), ("a/b", "a%2Fb")])
def test_rooms_whose_names_differ_by_a_slash_are_told_apart(program, server, name, neighbour):
    kept = program.post("rooms", name=neighbour)
    made = program.post("rooms", name=name)
    path = made.headers["Location"].removeprefix("/api/v1/")
    at = "/room/" + path.removeprefix("rooms/")
    assert program.get(path).json() == program.get(f"{path}/").json() == made.json()
    assert server.get(at).json()["sessionId"] == made.json()["sessionId"]
    assert program.patch(path, closed=True).json()["name"] == name
    assert program.post(f"{path}/tokens").status_code == 403
    assert program.post(f"{path}/session").json()["name"] == name
    assert program.delete(path).status_code == 204
    assert refusal(program.get(path)) == (404, "room_not_found")
    assert server.request("HEAD", at).status_code == 404
    (left,) = program.get("rooms").json()["items"]
    assert left["sessionId"] == kept.json()["sessionId"]


@pytest.mark.parametrize("noun", ["session", "tokens"])
def test_a_room_called_as_an_address_below_another_room_is_not_that_address(program, opentok, noun):
    rooms = [program.post("rooms", name=name).json() for name in ("x", f"x/{noun}")]
    asked = len(opentok.requests())
    for path in (f"rooms/x%2F{noun}", f"rooms/x%2f{noun}/", f"rooms/%78%2F{noun}"):
        assert refusal(program.post(path)) == (405, "method_not_allowed")
        assert program.get(path).json() == rooms[1]
    assert refusal(program.get(f"rooms/x/{noun}")) == (405, "method_not_allowed")
    assert refusal(program.delete(f"rooms/x/{noun}")) == (405, "method_not_allowed")
    assert refusal(program.post(f"rooms/x%252F{noun}")) == (405, "method_not_allowed")
    assert refusal(program.get(f"rooms/x%252F{noun}")) == (404, "room_not_found")
    assert [program.get(path).json() for path in ("rooms/x", f"rooms/x%2F{noun}")] == rooms
    assert len(opentok.requests()) == asked


@pytest.mark.parametrize(
    "path", ["rooms/a/b", "rooms//a", "rooms/a//", "rooms//", "rooms/a//session", "rooms/a/session/x",
             "rooms%2Fa", "rooms/a/session%2F", "rooms/a/sessio%6E%2f", "archives/a%2Fstop"]
)  # fmt: skip
def test_a_slash_too_many_or_encoded_in_a_route_is_a_404(program, path):
    program.post("rooms", name="a")
    for method in ("GET", "POST", "DELETE"):
        # Where it is the address of a room that is not there, nothing can be posted to it.
        wrong = {404, 405} if method == "POST" else {404}
        assert program.call(method, path).status_code in wrong
    assert Room.objects.get().name == "a"


def test_room_takes_no_empty_part_of_a_name(server, opentok):
    for path in ("/room//", "/room//x", "/room/x//", "/room/x//y", "/room%2Fx", "/room/x%2F/%2F/"):
        assert (path, server.get(path).status_code) == (path, 404 if "%2F/" not in path else 200)
    assert [room.name for room in Room.objects.all()] == ["x///"]


def test_a_key_sent_to_two_rooms_that_differ_by_a_slash_is_not_replayed(program):
    for name in ("x", "x/tokens"):
        program.post("rooms", name=name)
    headers = program.headers | {"Idempotency-Key": "once"}
    one = program.server.post("/api/v1/rooms/x/tokens", headers=headers)
    other = program.server.post("/api/v1/rooms/x%2Ftokens/tokens", headers=headers)
    assert one.status_code == 201
    assert refusal(other) == (422, "idempotency_key_reused")


def test_a_redirect_to_https_keeps_an_encoded_slash(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, SECURE_SSL_REDIRECT="on") as server:
        moved = server.get("/room/a%2Fb%2525/?e2ee=true&x=%2F%25")
    assert moved.headers["Location"].partition("/room")[2] == "/a%2Fb%2525/?e2ee=true&x=%2F%25"


def test_static_files_and_the_admin_are_found_however_their_path_is_encoded(server):
    assert server.get("/static/favicon.svg").status_code == 200
    assert server.get("/st%61tic/favic%6Fn%2Esvg").status_code == 200
    assert server.get("/static/..%2Fmanage.py").status_code == 404
    assert server.get("/%61dmin/login/").status_code == 200
    assert server.get("/admin/rooms/room/a%2Fb/change/").status_code == 302


def test_the_log_names_the_route_and_no_room(server):
    server.get("/room/secret%2Fname")
    line = server.output().splitlines()[-1]
    assert '"route":"/room/<name>"' in line
    assert "secret" not in line


# Without the path as it was sent

ANOTHER_SERVER = (
    "from wsgiref.simple_server import make_server; from config.wsgi import application; "
    "make_server('127.0.0.1', {port}, application).serve_forever()"
)


@pytest.fixture
def another_server(opentok, transactional_db):
    """One that hands over the path decoded and no other way, as WSGI demands no more."""
    with Server(command=("-c", ANOTHER_SERVER), OPENTOK_API_URL=opentok.url) as server:
        yield server


def test_a_server_that_tells_no_path_as_sent_serves_plain_names_and_no_other_room(
    another_server, opentok
):
    program = Program(another_server)
    for name in ("x", "x/session", "50%", "%2F"):
        assert program.post("rooms", name=name).status_code == 201
    before = list(Room.objects.order_by("id").values())
    asked = len(opentok.requests())
    for path in ("rooms/x%2F", "rooms/x/", "rooms/x%2Fsession", "rooms/x/session", "rooms//x"):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            answer = program.call(method, path, json={})
            assert refusal(answer) == (400, "address_ambiguous")
    for path in ("/room/x%2F", "/room/x/", "/room/x%2Fsession", "/room/a/b"):
        assert refusal(another_server.get(path)) == (400, "address_ambiguous")
    assert list(Room.objects.order_by("id").values()) == before
    assert len(opentok.requests()) == asked
    for path, name in (("x", "x"), ("50%25", "50%"), ("50%", "50%"), ("%252F", "%2F")):
        assert program.get(f"rooms/{path}").json()["name"] == name
        assert another_server.get(f"/room/{path}").status_code == 200
    for path in (
        "/session/",
        "/archive/",
        "/api/v1/rooms/",
        "/static/favicon.svg",
        "/admin/login/",
    ):
        assert another_server.get(path, headers=program.headers).status_code in {200, 302}


def test_names_that_are_composed_otherwise_are_the_same_address():
    for form in ("NFC", "NFD"):
        assert room_at("/room/" + unicodedata.normalize(form, "Zürich")) == ("", "Zürich")
