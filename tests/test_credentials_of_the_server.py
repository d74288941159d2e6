"""The two kinds of credentials, how they are told apart, and the tokens that they sign."""

import base64
import json
import uuid

import jwt
import opentok as sdk
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from archives.models import Archive
from tests.emulator_process import Emulator
from tests.server_process import Server
from tests.test_callbacks import send, sign
from video import accounts, archives, sessions, tokens

APPLICATION = "29f760f8-7ce1-46c9-ade3-f2dedee4ed5f"


def pem_of(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture(scope="module")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def configured(settings):
    """Configure the server with nothing but these variables."""

    def configure(**variables: str) -> accounts.Account:
        settings.OPENTOK = dict.fromkeys(settings.OPENTOK, "") | variables
        return accounts.current()

    return configure


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({}, "No OpenTok credentials are set"),
        ({"TOKBOX_API_KEY": "1"}, "TOKBOX_SECRET is not set"),
        ({"TOKBOX_SECRET": "s"}, "TOKBOX_API_KEY is not set"),
        ({"TOKBOX_API_KEY": "abc", "TOKBOX_SECRET": "1"}, "swapped"),
        ({"TOKBOX_API_KEY": "1", "TOKBOX_SECRET": "s", "VONAGE_APPLICATION_ID": APPLICATION}, "Both"),
        ({"VONAGE_APPLICATION_ID": APPLICATION}, "VONAGE_PRIVATE_KEY is not set"),
        ({"VONAGE_PRIVATE_KEY": "x"}, "VONAGE_APPLICATION_ID must be"),
        ({"VONAGE_APPLICATION_ID": "1", "VONAGE_PRIVATE_KEY": "x"}, "VONAGE_APPLICATION_ID must be"),
        ({"VONAGE_APPLICATION_ID": APPLICATION, "VONAGE_PRIVATE_KEY": "/no/such.key"}, "PEM text"),
        ({"VONAGE_APPLICATION_ID": APPLICATION, "VONAGE_PRIVATE_KEY": "-----BEGIN x"}, "PEM text"),
        ({"TOKBOX_API_KEY": "1", "TOKBOX_SECRET": "s", "OPENTOK_API_URL": "nowhere"}, "must be a URL"),
        ({"TOKBOX_API_KEY": "1", "TOKBOX_SECRET": "s", "OPENTOK_API_URL": "http://u:p@host"}, "must be a URL"),
    ],
)  # fmt: skip
def test_incomplete_or_contradictory_credentials_are_named(variables, complaint, configured):
    with pytest.raises(ImproperlyConfigured, match=complaint):
        configured(**variables)


def test_an_elliptic_curve_key_is_not_what_vonage_takes(configured):
    key = pem_of(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ImproperlyConfigured, match="RSA"):
        configured(VONAGE_APPLICATION_ID=APPLICATION, VONAGE_PRIVATE_KEY=key)


def test_a_private_key_may_be_text_base64_or_a_path(private_key, configured, tmp_path):
    pem = pem_of(private_key)
    path = tmp_path / "vonage_key"
    path.write_text(pem)
    forms = [pem, pem.replace("\n", "\\n"), base64.b64encode(pem.encode()).decode(), str(path)]
    for form in forms:
        account = configured(VONAGE_APPLICATION_ID=APPLICATION, VONAGE_PRIVATE_KEY=form)
        assert account.is_vonage
        assert account.key.public_key() == private_key.public_key()


def test_a_private_key_is_parsed_once(private_key, configured):
    variables = {"VONAGE_APPLICATION_ID": APPLICATION, "VONAGE_PRIVATE_KEY": pem_of(private_key)}
    assert configured(**variables).key is accounts.current().key


def test_a_secret_that_looks_like_a_path_is_still_a_secret(configured):
    secret = "a-secret-of-more-than-32-bytes.with_a_tail"
    account = configured(TOKBOX_API_KEY="1", TOKBOX_SECRET=secret)
    assert not account.is_vonage
    token = tokens.generate_token("1_x", role="publisher", lifetime=60)
    assert jwt.decode(token, secret, algorithms=["HS256"])


def test_an_account_shows_its_key_to_nobody(configured):
    assert "hush" not in repr(configured(TOKBOX_API_KEY="1", TOKBOX_SECRET="hush-hush"))


def test_each_kind_has_its_own_address_unless_another_one_is_given(private_key, configured):
    opentok = {"TOKBOX_API_KEY": "1", "TOKBOX_SECRET": "s"}
    vonage = {"VONAGE_APPLICATION_ID": APPLICATION, "VONAGE_PRIVATE_KEY": pem_of(private_key)}
    assert configured(**opentok).api_url == "https://api.opentok.com"
    assert configured(**vonage).api_url == "https://video.api.vonage.com"
    for variables in (opentok, vonage):
        account = configured(**variables, OPENTOK_API_URL="http://127.0.0.1:1/")
        assert account.api_url == "http://127.0.0.1:1"


def test_a_token_has_the_claims_that_the_sdk_gives_its_own(opentok):
    session_id = sessions.create_session()
    theirs = sdk.Client(opentok.api_key, opentok.secret).generate_token(
        session_id, data="Zoë: 7", initial_layout_class_list=["focus", "full"]
    )
    ours = tokens.generate_token(
        session_id,
        role="publisher",
        lifetime=86_400,
        data="Zoë: 7",
        layout_classes=["focus", "full"],
    )
    expected, claims = (
        jwt.decode(token, opentok.secret, algorithms=["HS256"]) for token in (theirs, ours)
    )
    for changing in ("nonce", "iat", "exp"):
        assert isinstance(claims.pop(changing), type(expected.pop(changing)))
    assert claims == expected


def test_a_token_without_data_and_classes_has_no_claims_about_them(opentok):
    session_id = sessions.create_session()
    theirs = sdk.Client(opentok.api_key, opentok.secret).generate_token(session_id)
    ours = tokens.generate_token(session_id, role="publisher", lifetime=86_400)
    expected, claims = (
        jwt.decode(token, opentok.secret, algorithms=["HS256"]) for token in (theirs, ours)
    )
    assert claims.keys() == expected.keys()


def test_a_vonage_token_has_the_claims_of_vonages_documentation(private_key, configured):
    configured(VONAGE_APPLICATION_ID=APPLICATION, VONAGE_PRIVATE_KEY=pem_of(private_key))
    token = tokens.generate_token("1_x", role="moderator", lifetime=60)
    claims = jwt.decode(token, private_key.public_key(), algorithms=["RS256"])
    assert claims["exp"] - claims["iat"] == 60
    assert uuid.UUID(claims["jti"])
    assert claims["session_id"] == "1_x"
    assert claims["role"] == "moderator"
    assert claims["application_id"] == APPLICATION
    assert claims["sub"] == "video"
    assert claims["acl"] == {"paths": {"/session/**": {}}}


@pytest.fixture(scope="module")
def _vonage(private_key, tmp_path_factory):
    public_key = tmp_path_factory.mktemp("keys") / "public.pem"
    public_key.write_bytes(
        private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with Emulator("--application-id", APPLICATION, "--public-key", str(public_key)) as emulator:
        yield emulator


@pytest.fixture
def vonage(_vonage):
    """A local OpenTok that also takes the calls of the Vonage application."""
    _vonage.reset()
    return _vonage


def test_sessions_and_archives_work_with_vonage_credentials(private_key, configured, vonage):
    configured(
        VONAGE_APPLICATION_ID=APPLICATION,
        VONAGE_PRIVATE_KEY=pem_of(private_key),
        OPENTOK_API_URL=vonage.url,
    )
    session_id = sessions.create_session()
    assert sessions.owns(session_id)
    vonage.connect(session_id)
    archive = archives.start_archive(session_id, name="standup")
    assert archive["applicationId"] == APPLICATION
    assert archives.stop_archive(archive["id"])["status"] == "stopped"
    assert [found["id"] for found in archives.list_archives()] == [archive["id"]]


@pytest.fixture
def vonage_server(private_key, vonage, transactional_db):
    variables = {
        "TOKBOX_API_KEY": " ",
        "TOKBOX_SECRET": " ",
        "VONAGE_APPLICATION_ID": APPLICATION,
        "VONAGE_PRIVATE_KEY": pem_of(private_key),
        "OPENTOK_API_URL": vonage.url,
    }
    with Server(**variables) as server:
        yield server


def test_both_families_of_clients_get_the_id_of_a_vonage_application(private_key, vonage_server):
    found = vonage_server.get("/room/x").json()
    assert found["apiKey"] == found["applicationId"] == APPLICATION
    claims = jwt.decode(found["token"], private_key.public_key(), algorithms=["RS256"])
    assert claims["session_id"] == found["sessionId"]


def test_callbacks_are_taken_for_the_configured_application_alone(vonage, vonage_server):
    vonage.call_back(f"{vonage_server.url}/callbacks", settings.CALLBACK_SECRET)
    session_id = vonage_server.get("/room/x").json()["sessionId"]
    vonage.connect(session_id)
    vonage_server.post("/archive/start", json={"sessionId": session_id})
    (sent,) = vonage.callbacks(attempts=1)
    assert sent["attempts"] == [200]
    assert Archive.objects.get().called_back_at is not None
    body, another = json.dumps(sent["body"]).encode(), str(uuid.uuid4())
    for name, status in ((APPLICATION, 200), (APPLICATION.upper(), 200), (another, 401)):
        token = sign(body, application_id=name)
        assert send(vonage_server, body, token=token).status_code == status
    for name, status in ((APPLICATION.upper(), 200), (another, 401)):
        assert send(vonage_server, sent["body"] | {"applicationId": name}).status_code == status


def test_the_clients_of_an_application_act_on_their_session_by_their_own_token(
    vonage, vonage_server
):
    room = vonage_server.get("/room/x").json()
    vonage.connect(room["sessionId"])
    body = {"sessionId": room["sessionId"], "token": room["token"]}
    captions = vonage_server.post("/captions/start", json=body).json()["id"]
    assert vonage_server.post(f"/captions/{captions}/stop").status_code == 202
    headers = {"Authorization": f"Bearer {room['token']}"}
    body = {"sessionId": room["sessionId"], "webSocketHost": "bot.example.com"}
    connected = vonage_server.post("/audio-connector/connect", json=body, headers=headers)
    assert connected.status_code == 200
    # As an OpenTok project would sign it.
    forged = {"iss": APPLICATION, "exp": 2**40, "scope": "session.connect", "role": "moderator"}
    forged |= {"session_id": room["sessionId"], "application_id": APPLICATION}
    for secret in ("x" * 40, settings.OPENTOK["TOKBOX_SECRET"]):
        headers = {"Authorization": f"Bearer {jwt.encode(forged, secret)}"}
        refused = vonage_server.post("/audio-connector/connect", json=body, headers=headers)
        assert refused.json()["code"] == "client_token_invalid"
