"""How a page gets into a session of the emulator: session info, tokens, the WebSocket."""

import base64
import os
import time

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator.browser.framing import MESSAGE, Frame
from tests.client_tokens import application_token, client_token, t1_token
from tests.emulator_process import Emulator
from tests.raw_page import RawPage


@pytest.fixture
def page(emulator, session_id):
    with RawPage(emulator, session_id, client_token(emulator, session_id)) as page:
        yield page


# Session info


@pytest.mark.parametrize(
    ("preference", "told"),
    [("disabled", "disabled"), ("enabled", "enabled"), ("always", "enabled")],
)
def test_session_info_says_whether_the_session_is_relayed(emulator, preference, told):
    session_id = emulator.make_session(preference)
    page = RawPage(emulator, session_id, client_token(emulator, session_id))
    (info,) = page.session_info()
    assert info["properties"]["p2p"]["preference"]["value"] == told


@pytest.mark.parametrize("e2ee", ["true", "false"])
def test_session_info_says_whether_clients_may_encrypt(emulator, e2ee):
    session_id = emulator.make_session(e2ee=e2ee)
    page = RawPage(emulator, session_id, client_token(emulator, session_id))
    assert page.session_info()[0]["properties"]["e2ee"] is (e2ee == "true")


def test_session_info_names_the_socket_at_the_address_that_was_asked(page):
    (info,) = page.session_info(Host="opentok.test:8081")
    assert info["messaging_url"] == "ws://opentok.test:8081/rumorwebsocketsv2"
    assert (info["session_id"], info["partner_id"]) == (page.session_id, page.emulator.api_key)
    assert info["ice_servers"] == []


@pytest.mark.parametrize("host", ["[", "[::", "[::::]:1", "a:b:c"])
def test_session_info_is_answered_whatever_the_host_is_called(page, host):
    (info,) = page.session_info(Host=host)
    assert info["messaging_url"].startswith("ws://")


@pytest.mark.parametrize(
    "prefix", ["", "/anvil.opentok.com", "/anvil.opentok.com:443", "/localhost"]
)
def test_session_info_is_found_under_a_proxied_address(page, prefix):
    url = f"{page.emulator.url}{prefix}/session/{page.session_id}?extended=true"
    answer = requests.get(url, headers={"X-OPENTOK-AUTH": page.token}, timeout=5)
    assert answer.json()[0]["session_id"] == page.session_id


def test_the_configuration_changes_nothing(emulator):
    answer = requests.get(f"{emulator.url}/config.opentok.com/project/1/config.json", timeout=5)
    assert answer.json() == {}


def test_pages_of_any_origin_may_ask(page):
    url = f"{page.emulator.url}/session/{page.session_id}"
    asked = requests.options(url, headers={"Origin": "https://app.test"}, timeout=5)
    assert asked.status_code == 204
    assert "X-OPENTOK-AUTH" in asked.headers["Access-Control-Allow-Headers"]
    assert requests.get(url, timeout=5).headers["Access-Control-Allow-Origin"] == "*"


def test_logs_of_pages_are_taken_and_forgotten(emulator):
    url = f"{emulator.url}/hlg.tokbox.com/prod/logging/ClientEvent"
    assert requests.post(url, json={"action": "x"}, timeout=5).status_code == 200
    assert emulator.requests() == []


def test_session_info_is_in_the_request_log_without_its_token(page):
    page.session_info()
    entry = page.emulator.requests()[-1]
    assert entry["path"].startswith(f"/session/{page.session_id}")
    assert page.token not in str(entry)


def test_a_fault_makes_session_info_fail(page):
    page.emulator.fault(path="^/session/1_", status=503)
    url = f"{page.emulator.url}/session/{page.session_id}"
    answer = requests.get(url, headers={"X-OPENTOK-AUTH": page.token}, timeout=5)
    assert answer.status_code == 503
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("session_id", ["nonsense", "1_AAAAAAAAAAAAAAAAAAAAAAAA"])
def test_an_unknown_session_is_an_error_inside_a_200(emulator, session_id):
    page = RawPage(emulator, session_id, client_token(emulator, session_id))
    assert page.session_info()[0]["error"]["code"] == 404


# Tokens


GOOD = {
    "jwt": client_token,
    "t1": t1_token,
    "without a role": lambda *args: client_token(*args, role=None),
    "classes in a list": lambda *args: client_token(*args, initial_layout_class_list=["a"]),
}
BAD = {
    "none": lambda emulator, session_id: "",
    "nonsense": lambda emulator, session_id: "x.y.z",
    "long": lambda emulator, session_id: "x" * 10_000,
    "expired": lambda *args: client_token(*args, exp=int(time.time()) - 1),
    "without an end": lambda *args: client_token(*args, exp=None),
    "unsigned": lambda *args: client_token(*args, secret="another" * 8),
    "of another project": lambda *args: client_token(*args, iss="45000000"),
    "another scope": lambda *args: client_token(*args, scope="session.view"),
    "an unknown role": lambda *args: client_token(*args, role="king"),
    "for more than 30 days": lambda *args: client_token(*args, exp=int(time.time()) + 31 * 86_400),
    "many classes": lambda *args: client_token(*args, initial_layout_class_list="x " * 501),
    "long data": lambda *args: client_token(*args, connection_data="x" * 1001),
    "of another session": lambda emulator, _: client_token(emulator, emulator.make_session()),
    "for calls": lambda emulator, _: emulator.token(),
    "t1 expired": lambda *args: t1_token(*args, expire_time=int(time.time()) - 1),
    "t1 unsigned": lambda *args: t1_token(*args, secret="another" * 8),
    "t1 nonsense": lambda emulator, _: "T1==" + base64.b64encode(b"partner_id=1").decode(),
    "t1 not base64": lambda emulator, _: "T1==%%%",
    "t1 without times": lambda *args: t1_token(*args, expire_time="", create_time="x"),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_token_gets_a_page_in(emulator, session_id, kind):
    with RawPage(emulator, session_id, GOOD[kind](emulator, session_id)) as page:
        assert "error" not in page.session_info()[0]
        assert page.enter()["connection"][0]["permissions"] == ["publish", "subscribe"]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_gets_a_page_nowhere(emulator, session_id, kind):
    with RawPage(emulator, session_id, BAD[kind](emulator, session_id)) as page:
        assert page.session_info()[0]["error"]["code"] == 403
        page.open()
        status, data = page.ask("create", f"/connection/{page.id}", token=page.token)
        assert status == "403"
        assert data["reason"]
    assert emulator.control("GET", f"/sessions/{session_id}")["connections"] == []


def test_the_data_of_a_token_is_shown_to_all(emulator, session_id):
    token = client_token(emulator, session_id, connection_data='{"name":"ü"}')
    with RawPage(emulator, session_id, token) as page:
        assert page.enter()["connection"][0]["data"] == '{"name":"ü"}'


def test_a_token_of_a_vonage_application_gets_a_page_in(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "public.pem").write_bytes(public)
    application = "78d335fa-323d-0114-9c3d-d6f0d48968cf"
    options = ("--application-id", application, "--public-key", str(tmp_path / "public.pem"))
    with Emulator(*options) as emulator:
        bearer = application_token(application, key, "", ist="project")
        headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
        url = emulator.url + "/session/create"
        (made,) = requests.post(url, headers=headers, timeout=5).json()
        session_id = made["session_id"]
        with RawPage(emulator, session_id, application_token(application, key, session_id)) as page:
            page.project_id = application
            assert page.session_info()[0]["partner_id"] == application
            assert "forcedisconnect" in page.enter()["connection"][0]["permissions"]
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        with RawPage(
            emulator, session_id, application_token(application, other, session_id)
        ) as page:
            assert page.session_info()[0]["error"]["code"] == 403


# The WebSocket


def test_a_page_that_enters_is_a_connection_for_all(emulator, page):
    page.enter()
    seen = emulator.control("GET", f"/sessions/{page.session_id}")["connections"]
    assert [connection["connectionId"] for connection in seen] == [page.id]


def test_a_page_that_enters_is_told_of_all_who_are_there(emulator, page):
    connection_id = emulator.connect(page.session_id)
    stream_id = emulator.publish(page.session_id, connection_id)
    state = page.enter()
    assert {each["id"] for each in state["connection"]} == {connection_id, page.id}
    (stream,) = state["stream"]
    assert stream["id"] == stream_id
    assert stream["connection"]["id"] == connection_id
    assert state["archive"] == []


def test_the_answer_comes_before_the_news_of_the_same_deed(page):
    page.open()
    transaction = page.post("create", f"/connection/{page.id}", token=page.token)
    page.answer(transaction)
    assert page.told == []
    page.wait("created", f"/connection/{page.id}")


@pytest.mark.parametrize("connection_id", ["x", "../x", "A" * 36, "0" * 5_000])
def test_an_id_that_is_no_uuid_is_refused(page, connection_id):
    page.open()
    assert page.ask("create", f"/connection/{connection_id}", token=page.token)[0] in ("400", "404")


def test_a_connection_id_in_use_is_refused(emulator, page):
    page.enter()
    with RawPage(emulator, page.session_id, page.token) as other:
        other.open()
        assert other.ask("create", f"/connection/{page.id}", token=page.token)[0] == "409"


def test_a_page_outside_of_a_session_may_do_nothing(page):
    page.open()
    assert page.ask("signal", "/signal/1", {"data": "x"})[0] == "403"


@pytest.mark.parametrize(
    "handshake",
    [
        {},
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "8",
         "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="},
    ],
)  # fmt: skip
def test_a_request_that_begins_no_websocket_is_a_400(emulator, handshake):
    answer = requests.get(f"{emulator.url}/rumorwebsocketsv2", headers=handshake, timeout=5)
    assert answer.status_code == 400


# What ends a page's connection, and nothing else


def raw_signal(page, data, transaction="1"):
    body = f'{{"method":"signal","uri":"{page.path}/signal/1","content":{{"data":{data}}}}}'
    headers = {"TRANSACTION-ID": transaction, "X-TB-FROM-ADDRESS": page.id}
    return Frame(MESSAGE, (), headers, body.encode())


def text_message(page):
    page.write(bytes([0x81, 0x82]) + b"\0\0\0\0" + b"hi")


def unmasked_message(page):
    page.write(bytes([0x82, 2]) + b"hi")


def too_large_message(page):
    page.send_bytes(b"\0" * (300 * 1024))


@pytest.mark.parametrize(
    ("nonsense", "code"),
    [
        (lambda page: page.send_bytes(b"nonsense"), 1003),
        (lambda page: page.send_bytes(b""), 1003),
        (lambda page: page.send_bytes(b"\0\0\0\x05\0\0\x02\0\0"), 1003),
        (lambda page: page.send_bytes(b"\0\0\0\x07\0\0\x02\0\0[]"), 1003),
        (lambda page: page.send_bytes(b"\0\0\0\x07\0\0\x02\0\0{}"), 1003),
        (lambda page: page.send_bytes(b"\0\0\x75\x35\0\0\x02\0\0" + b"[" * 30_000), 1003),
        (lambda page: page.send(raw_signal(page, "NaN")), 1003),
        (lambda page: page.send(raw_signal(page, "1e999")), 1003),
        (lambda page: page.send(raw_signal(page, "9" * 5_000)), 1003),
        (lambda page: page.send(raw_signal(page, "[" * 40_000 + "]" * 40_000)), 1003),
        (lambda page: page.send(raw_signal(page, "1", transaction="")), 1003),
        (text_message, 1003),
        (unmasked_message, 1002),
        (too_large_message, 1009),
        (lambda page: page.write(os.urandom(10).replace(b"\x82", b"\xff") + b"\xff" * 50), 1002),
    ],
)
def test_nonsense_ends_the_connection_of_its_page_alone(emulator, page, nonsense, code):
    page.enter()
    with RawPage(emulator, page.session_id, page.token) as other:
        other.enter()
        nonsense(page)
        assert page.wait_for_the_end() == code
        gone = other.wait("deleted", f"/connection/{page.id}")
        assert gone["reason"] == "networkDisconnected"
        assert other.hears_nothing()


def test_a_stranger_who_claims_to_come_back_is_sent_away(page):
    page.come_back()
    page.ping()
    assert page.wait_for_the_end() == 1011
