"""Who may call the emulator, and what the others are told."""

import time
import uuid

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from opentok import Client, MediaModes
from opentok.exceptions import AuthError, RequestError

from tests.client_tokens import client_token, t1_token
from tests.emulator_process import Emulator
from tests.raw_page import RawPage

pytestmark = pytest.mark.usefixtures("unmodified_sdk")

APPLICATION_ID = "29f760f8-7ce1-46c9-ade3-f2dedee4fed2"


@pytest.fixture(scope="module")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def emulator(private_key, tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "public.pem"
    path.write_bytes(
        private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    with Emulator("--application-id", APPLICATION_ID, "--public-key", str(path)) as emulator:
        yield emulator


@pytest.fixture
def vonage(emulator, private_key, tmp_path):
    path = tmp_path / "private.pem"
    path.write_bytes(
        private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    client = Client(APPLICATION_ID, str(path))
    client.endpoints.api_url = emulator.url
    return client


def test_a_project_may_have_two_secrets_while_one_changes():
    with Emulator("--second-secret", "new" * 12) as emulator:
        for secret in emulator.secret, "new" * 12:
            client = Client(emulator.api_key, secret, api_url=emulator.url)
            session_id = client.create_session().session_id
            for made in (client_token, t1_token):
                token = made(emulator, session_id, secret=secret)
                with RawPage(emulator, session_id, token) as page:
                    page.enter()
        with pytest.raises(RequestError, match="invalid credentials"):
            Client(emulator.api_key, "other" * 8, api_url=emulator.url).create_session()


def listing(emulator, headers):
    return requests.get(emulator.url + emulator.archives_path, headers=headers, timeout=10)


def refusal(emulator, token, header="X-OPENTOK-AUTH"):
    answer = listing(emulator, {header: token})
    assert answer.status_code == 403
    body = answer.json()
    assert body["message"] == body["description"]
    return body["code"], body["message"]


def test_a_call_without_a_token_is_refused(emulator):
    answer = listing(emulator, {})
    assert (answer.status_code, answer.json()["code"]) == (403, 10003)


def test_something_that_is_no_token_is_refused(emulator):
    for token in ("", "x", "a.b.c", "é.é.é", "." * 5000):
        assert refusal(emulator, token.encode())[0] == 10001


def test_another_project_is_not_known(emulator):
    assert refusal(emulator, emulator.token(iss="1")) == (-1, "Issuer not found")
    assert refusal(emulator, emulator.token(iss=None)) == (-1, "Issuer not found")


def test_another_secret_makes_an_invalid_signature(emulator):
    token = jwt.encode(
        {"iss": emulator.api_key, "ist": "project", "iat": 0, "exp": 2**33}, "f" * 40, "HS256"
    )
    assert refusal(emulator, token) == (-1, "Invalid signature")


def test_an_unsigned_token_is_refused(emulator):
    now = int(time.time())
    claims = {"iss": emulator.api_key, "ist": "project", "iat": now, "exp": now + 60}
    token = jwt.encode(claims, None, algorithm="none")
    assert refusal(emulator, token) == (-1, "Invalid signature")


def test_a_token_of_the_wrong_kind_is_refused(emulator):
    assert refusal(emulator, emulator.token(ist="account"))[0] == 10002


def test_a_token_without_its_type_is_taken(emulator):
    assert listing(emulator, {"X-OPENTOK-AUTH": emulator.token(ist=None)}).status_code == 200


def test_a_token_needs_its_times_as_numbers(emulator):
    for changes in ({"exp": None}, {"iat": None}, {"exp": "soon"}, {"iat": True}):
        assert refusal(emulator, emulator.token(**changes))[0] == 10001


def test_a_program_whose_clock_was_moved_on_with_the_emulators_is_known(emulator):
    tomorrow = int(time.time()) + 86_400
    token = emulator.token(iat=tomorrow, exp=tomorrow + 180)
    assert refusal(emulator, token)[0] == -1
    emulator.advance(86_400)
    assert listing(emulator, {"X-OPENTOK-AUTH": token}).status_code == 200
    emulator.reset()


def test_an_expired_token_is_refused(emulator):
    assert refusal(emulator, emulator.token(exp=int(time.time()) - 1))[0] == 10012


def test_a_token_issued_in_the_future_is_refused(emulator):
    code, message = refusal(emulator, emulator.token(iat=int(time.time()) + 180))
    assert code == -1
    assert message.startswith("issued time cannot be great")


def test_the_project_in_the_path_has_to_be_the_tokens(emulator):
    answer = emulator.call("GET", "/v2/project/123456/archive")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Id in the token does not match the one in the url"


def test_the_virtual_clock_does_not_expire_tokens(emulator):
    emulator.advance(3600)
    assert emulator.call("GET", emulator.archives_path).status_code == 200


def test_a_day_long_token_is_accepted_unless_told_otherwise(emulator):
    token = emulator.token(exp=int(time.time()) + 24 * 3600)
    assert listing(emulator, {"X-OPENTOK-AUTH": token}).status_code == 200


def test_a_day_long_token_is_refused_by_the_documented_limit():
    with Emulator("--strict-expiry") as emulator:
        token = emulator.token(exp=int(time.time()) + 24 * 3600)
        assert refusal(emulator, token)[0] == 10001
        assert emulator.call("GET", emulator.archives_path).status_code == 200


def test_the_sdk_sees_a_wrong_secret(emulator):
    client = Client(emulator.api_key, "0" * 40, api_url=emulator.url)
    with pytest.raises(AuthError):
        client.list_archives()
    with pytest.raises(RequestError, match="invalid credentials"):
        client.create_session()


def test_a_vonage_application_records_and_is_named_by_its_id_only(emulator, vonage):
    session = vonage.create_session(media_mode=MediaModes.routed)
    emulator.publish(session.session_id)
    archive = vonage.start_archive(session.session_id)
    assert archive.status == "started"
    assert archive.partner_id is None
    token = vonage_token(vonage)
    body = requests.get(
        f"{emulator.url}/v2/project/{APPLICATION_ID}/archive/{archive.id}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    ).json()
    assert body["applicationId"] == APPLICATION_ID
    assert not {"projectId", "partnerId"} & set(body)


def test_a_vonage_application_does_not_see_the_projects_archives(emulator, vonage):
    client = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
    session_id = client.create_session(media_mode=MediaModes.routed).session_id
    emulator.publish(session_id)
    archive = client.start_archive(session_id)
    assert [a.id for a in vonage.list_archives() if a.id == archive.id] == []
    with pytest.raises(RequestError):
        vonage.start_archive(session_id)


def test_a_vonage_token_by_another_key_is_refused(emulator):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = int(time.time())
    claims = {"ist": "project", "iat": now, "exp": now + 60, "application_id": APPLICATION_ID}
    token = jwt.encode(claims, other, algorithm="RS256")
    assert refusal(emulator, f"Bearer {token}", "Authorization") == (-1, "Invalid signature")


def test_an_applications_token_is_taken_in_either_header_and_without_an_end(emulator, private_key):
    claims = {"iat": int(time.time()), "application_id": APPLICATION_ID}
    token = jwt.encode(claims, private_key, algorithm="RS256")
    for headers in ({"X-OPENTOK-AUTH": token}, {"Authorization": f"Bearer {token}"}):
        path = f"/v2/project/{APPLICATION_ID}/archive"
        assert requests.get(emulator.url + path, headers=headers, timeout=5).status_code == 200


def test_an_unknown_vonage_application_is_refused(emulator, private_key):
    now = int(time.time())
    claims = {"ist": "project", "iat": now, "exp": now + 60, "application_id": str(uuid.uuid4())}
    token = jwt.encode(claims, private_key, algorithm="RS256")
    assert refusal(emulator, f"Bearer {token}", "Authorization") == (-1, "Issuer not found")


def test_the_projects_secret_signs_for_no_application(emulator):
    token = emulator.token(application_id=APPLICATION_ID)
    assert refusal(emulator, f"Bearer {token}", "Authorization") == (-1, "Invalid signature")


def vonage_token(client):
    now = int(time.time())
    claims = {"ist": "project", "iat": now, "exp": now + 60, "application_id": APPLICATION_ID}
    return jwt.encode(claims, client.api_secret, algorithm="RS256")
