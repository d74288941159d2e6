"""Client tokens as a proof: which are good, and what they open by themselves, which is nothing."""

import base64
import hmac
import time
from urllib.parse import urlencode

import jwt
import opentok as sdk
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from config.urls import urlpatterns
from tests.test_capabilities import views
from tests.test_credentials_of_the_server import APPLICATION, pem_of
from video import accounts, sessions, tokens
from video.tokens import ClientToken, read_token

SECRET = settings.OPENTOK["TOKBOX_SECRET"]
PROJECT = settings.OPENTOK["TOKBOX_API_KEY"]
# And where it is tested that they refuse client tokens of other sessions.
TAKEN = {
    f"{view}.{action}": "test_api_moderation"
    for view, actions in {
        "ConnectionViewSet": ["list_all", "destroy"],
        "StreamViewSet": ["list_all", "retrieve", "lay_out", "mute"],
        "EverybodyViewSet": ["mute", "unmute", "signal"],
    }.items()
    for action in actions
}
TAKEN |= {
    "GuestViewSet.list_all": "test_waiting_room",
    "GuestViewSet.partial_update": "test_waiting_room",
    "PresenceViewSet.retrieve": "test_api_meetings",
    "BanViewSet.list_all": "test_api_meetings",
    "BanViewSet.create": "test_api_meetings",
    "BanViewSet.destroy": "test_api_meetings",
    "CaptionsViewSet.start": "test_samples",
    "AudioConnectorViewSet.connect": "test_samples",
    "AudioConnectorViewSet.disconnect": "test_samples",
}


def session_of(project, name="a"):
    told = f"1~{project}~~1700000000000~{name}~P~"
    return "1_" + base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


SESSION = session_of(PROJECT)


def claims(**changed):
    now = int(time.time())
    common = {"iss": PROJECT, "ist": "project", "iat": now, "exp": now + 60, "role": "publisher",
              "scope": "session.connect", "session_id": SESSION}  # fmt: skip
    return {name: value for name, value in (common | changed).items() if value is not None}


def signed(key=SECRET, algorithm="HS256", **changed):
    return jwt.encode(claims(**changed), key, algorithm=algorithm)


def t1(secret=SECRET, partner=PROJECT, more="", **changed):
    now = int(time.time())
    fields = {"session_id": SESSION, "create_time": now, "expire_time": now + 60, "nonce": 0.5,
              "role": "moderator", "initial_layout_class_list": ""} | changed  # fmt: skip
    query = urlencode({name: value for name, value in fields.items() if value is not None}) + more
    signature = hmac.digest(secret.encode(), query.encode(), "sha1").hex()
    text = f"partner_id={partner}&sig={signature}:{query}"
    return "T1==" + base64.b64encode(text.encode()).decode()


# Which are good


@pytest.mark.parametrize("role", ["subscriber", "publisher", "publisheronly", "moderator"])
def test_a_token_made_here_is_read(role):
    token = tokens.generate_token(SESSION, role=role, lifetime=60, data="é & x=1")
    assert read_token(token) == ClientToken(SESSION, role, "é & x=1")


@pytest.mark.parametrize("use_jwt", [True, False])
def test_a_token_made_by_the_official_sdk_is_read(use_jwt):
    made = sdk.Client(PROJECT, SECRET).generate_token(
        SESSION, role=sdk.Roles.moderator, data="a=b&role=x", use_jwt=use_jwt
    )
    assert read_token(made) == ClientToken(SESSION, "moderator", "a=b&role=x")


@pytest.mark.parametrize("made", [signed, t1])
def test_a_token_without_a_role_is_a_publishers(made):
    assert read_token(made(role=None)).role == "publisher"


def test_the_claims_of_newer_sdks_are_no_obstacle():
    now = int(time.time())
    more = {"create_time": now, "expire_time": now + 60, "nonce": 0.1, "iat": now + 30}
    assert read_token(signed(**more)).session_id == SESSION


@pytest.mark.parametrize(
    "text",
    [
        signed(key=SECRET[::-1]), signed(key="", algorithm="none"), signed(algorithm="HS512"),
        signed(exp=int(time.time()) - 1), signed(exp=None), signed(exp="soon"),
        signed(scope=None), signed(scope="session.connect publish"), signed(scope=["session.connect"]),
        signed(iss="47000001"), signed(iss=None), signed(session_id=None), signed(session_id=1),
        signed(session_id="../archive"), signed(session_id=session_of("47000001")),
        signed(role="admin"), signed(role=["moderator"]), signed(connection_data={"a": 1}),
        t1(secret=SECRET[::-1]), t1(partner="47000001"), t1(expire_time=int(time.time()) - 1),
        t1(expire_time=None), t1(expire_time="soon"), t1(role="admin"), t1(session_id=None),
        t1(session_id=session_of("47000001")), t1(role="publisher", more="&role=moderator"),
        "", "T1==", "T1==é", "T1==!", "T1==" + base64.b64encode(b"sig=:").decode(), "..", "a.b.c",
        "e30.e30.e30", signed()[:-1], signed() + "é", "\udcff.a.b", f"{500 * '.'}",
        base64.urlsafe_b64encode(5000 * b"[").decode() + ".e30.e30",
        base64.urlsafe_b64encode(b'{"alg":["HS256"],"crit":[]}').decode() + ".e30.e30",
    ],
)  # fmt: skip
def test_a_token_that_is_forged_expired_or_anothers_is_not_good(text):
    assert read_token(text) is None


@pytest.mark.parametrize("made", [signed, t1])
def test_a_token_signed_with_the_secret_before_is_read_while_that_is_named(made, settings):
    text, other = made(), "0123456789abcdef0123456789abcdef01234567"
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_SECRET": other, "TOKBOX_SECRET_OLD": SECRET}
    assert read_token(text).session_id == SESSION
    new = tokens.generate_token(SESSION, role="publisher", lifetime=60)
    assert jwt.decode(new, other, ["HS256"])["session_id"] == SESSION
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_SECRET_OLD": ""}
    assert read_token(text) is None


def test_the_tokens_of_calls_to_opentok_are_no_client_tokens():
    now = int(time.time())
    call = {"iss": PROJECT, "ist": "project", "iat": now, "exp": now + 60, "jti": "1"}
    assert read_token(jwt.encode(call, SECRET, algorithm="HS256")) is None


@pytest.fixture
def application(settings):
    """The key of the Vonage application that this process is configured with."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings.OPENTOK = dict.fromkeys(settings.OPENTOK, "") | {
        "VONAGE_APPLICATION_ID": APPLICATION,
        "VONAGE_PRIVATE_KEY": pem_of(key),
    }
    return key


def test_an_application_reads_the_tokens_of_its_own_key(application):
    session = session_of(APPLICATION)
    made = tokens.generate_token(session, role="moderator", lifetime=60, data="x")
    assert read_token(made) == ClientToken(session, "moderator", "x")
    upper = {"iss": None, "application_id": APPLICATION.upper(), "session_id": session}
    assert read_token(signed(application, "RS256", subject="video", **upper)).role == "publisher"


def test_an_application_reads_no_others(application):
    own = {"iss": None, "application_id": APPLICATION, "session_id": session_of(APPLICATION)}
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = accounts.current().key.public_key()
    wrong = [
        signed(other, "RS256", **own), signed(SECRET, "HS256", **own), signed(), t1(),
        signed(application, "RS256", **own | {"application_id": None}),
        signed(application, "RS256", **own | {"application_id": APPLICATION[::-1]}),
        signed(application, "RS256", **own | {"scope": None}),
        signed(application, "RS512", **own),
    ]  # fmt: skip
    assert [read_token(text) for text in wrong] == [None] * len(wrong)
    # Its public key as the secret of HS256, which is an old trick.
    numbers = str(public.public_numbers().n)
    assert read_token(signed(numbers, "HS256", **own)) is None


# What they open


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def moderators(session):
    return tokens.generate_token(session, role="moderator", lifetime=60)


@pytest.fixture
def session(opentok):
    return sessions.create_session()


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def test_a_client_token_opens_neither_management_nor_lists_nor_metrics(server, session):
    headers = bearer(moderators(session))
    for path in ("/api/v1/rooms", "/api/v1/archives"):
        assert refusal(server.get(path, headers=headers)) == (403, "client_token_insufficient")
    created = server.post("/api/v1/rooms", json={"name": "x"}, headers=headers)
    assert refusal(created) == (403, "client_token_insufficient")
    assert refusal(server.get("/metrics", headers=headers)) == (401, "metrics_closed")


def test_a_client_token_may_do_what_needs_no_proof(server, session):
    assert server.get("/room/lobby", headers=bearer(moderators(session))).status_code == 200


@pytest.mark.parametrize("text", ["T1==x", "a.b.c", signed(exp=1), t1(partner="47000001")])
def test_a_client_token_that_is_not_good_is_refused_even_where_none_is_needed(
    server, opentok, text
):
    refused = server.get("/room/lobby", headers=bearer(text))
    assert refusal(refused) == (401, "client_token_invalid")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="rooms", error="invalid_token"'
    assert opentok.requests() == []


def test_wrong_client_tokens_and_wrong_keys_count_together(limited):
    server = limited("refused=2/hour")
    for text, status in (("T1==x", 401), ("otr_x", 401), ("a.b.c", 429), ("otr_x", 429)):
        assert server.get("/room/lobby", headers=bearer(text)).status_code == status


def test_a_client_token_is_counted_by_its_address(limited, opentok):
    server = limited("join=2/hour")
    one, other = sessions.create_session(), sessions.create_session()
    for headers, status in (({}, 200), (bearer(moderators(one)), 200), (bearer(moderators(other)), 429)):  # fmt: skip
        assert server.get("/room/lobby", headers=headers).status_code == status


def test_a_client_token_is_in_no_log(limited, opentok):
    server = limited("other=9/hour")
    good, bad = moderators(sessions.create_session()), signed(exp=1)
    for text in (good, bad):
        server.get("/room/lobby", headers=bearer(text))
    written = server.stop()
    assert good not in written
    assert bad not in written


def test_each_action_that_takes_client_tokens_is_tested_to_refuse_those_of_other_sessions():
    taking = {
        f"{view.cls.__name__}.{action}"
        for view in views(urlpatterns)
        for action in getattr(view.cls, "takes_client_tokens", ())
    }
    assert taking == set(TAKEN)
