"""Sessions of the emulator: how they are made, named and recognised."""

import base64
from xml.etree import ElementTree

import jwt
import pytest
import requests
from opentok import ArchiveModes, Client, MediaModes, Roles
from opentok.exceptions import NotFoundError, RequestError

from tests.emulator_process import ControlRefused, Emulator

pytestmark = pytest.mark.usefixtures("unmodified_sdk")


def create(emulator, **form):
    return emulator.call("POST", "/session/create", data=form)


def fields_of(session_id):
    packed = session_id[2:]
    return base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode().split("~")


def pack(fields, prefix="1_"):
    return prefix + base64.urlsafe_b64encode("~".join(fields).encode()).decode().rstrip("=")


def test_a_session_is_answered_in_the_services_own_words(emulator):
    answer = create(emulator)
    assert answer.status_code == 200
    # With a charset, the official SDK would read the answer as XML.
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Server"] == "nginx"
    assert answer.headers["X-Opentok-Trace"]
    (session,) = answer.json()
    assert session["project_id"] == session["partner_id"] == emulator.api_key
    assert session["session_status"] is None


def test_a_session_id_has_the_real_form(emulator):
    session_id = create(emulator, location="10.1.2.3").json()[0]["session_id"]
    version, project, location, created, random, flags, *rest = fields_of(session_id)
    assert (version, project, location, flags, rest) == ("1", "45999999", "10.1.2.3", "", ["", ""])
    assert len(created) == 13
    assert len(random) == 24
    assert "=" not in session_id


def test_relayed_sessions_carry_their_flag(sdk):
    relayed = sdk.create_session(media_mode=MediaModes.relayed)
    routed = sdk.create_session(media_mode=MediaModes.routed)
    assert fields_of(relayed.session_id)[5] == "P"
    assert fields_of(routed.session_id)[5] == ""


def test_the_sdk_signs_client_tokens_for_a_session(sdk, emulator):
    session = sdk.create_session(media_mode=MediaModes.routed)
    token = sdk.generate_token(session.session_id, role=Roles.moderator)
    claims = jwt.decode(token, emulator.secret, algorithms=["HS256"])
    assert claims["session_id"] == session.session_id


def test_all_the_sdks_options_are_taken(sdk):
    session = sdk.create_session(
        location="192.0.2.1",
        media_mode=MediaModes.routed,
        archive_mode=ArchiveModes.always,
        archive_name="lesson",
        archive_resolution="1280x720",
        e2ee=False,
    )
    assert session.session_id


@pytest.mark.parametrize(
    "form",
    [
        {"archiveMode": "sometimes"},
        {"archiveMode": "always", "p2p.preference": "enabled"},
        {"archiveMode": "always", "archiveName": "x" * 81},
        {"archiveMode": "always", "archiveResolution": "1x1"},
        {"location": "here"},
        {"location": "1"},
        {"location": "::1"},
        {"e2ee": "maybe"},
    ],
)
def test_a_form_that_makes_no_sense_is_refused(emulator, form):
    answer = create(emulator, **form)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400


@pytest.mark.parametrize(
    ("form", "is_relayed"),
    [
        ({"location": "null"}, False),
        ({"location": "", "archiveName": "x", "archiveResolution": "640x480"}, False),
        ({"p2p.preference": "routed"}, False),
        ({"p2p.preference": "always"}, True),
        ({"p2p.preference": "relayed"}, True),
        ({"e2ee": "True", "media_mode": "routed"}, False),
    ],
    ids=str,
)
def test_a_form_as_other_sdks_send_it_is_taken(form, is_relayed, emulator):
    (made,) = create(emulator, **form).json()
    emulator.connect(made["session_id"])
    start = {"sessionId": made["session_id"]}
    answer = emulator.call("POST", emulator.archives_path, json=start)
    assert answer.status_code == (409 if is_relayed else 200)


@pytest.mark.parametrize("accept", ["*/*", None])
def test_a_session_is_answered_in_xml_to_those_that_do_not_ask_for_json(accept, emulator):
    made = emulator.call("POST", "/session/create", headers={"Accept": accept})
    assert made.headers["Content-Type"] == "text/xml"
    session = ElementTree.fromstring(made.text).find("Session")
    emulator.connect(session.findtext("session_id"))
    assert session.findtext("partner_id") == emulator.api_key
    refused = emulator.call(
        "POST",
        "/session/create",
        headers={"Accept": accept, "X-OPENTOK-AUTH": emulator.token(iss="1")},
    )
    assert refused.status_code == 403
    assert ElementTree.fromstring(refused.text).findtext("message") == "Issuer not found"


def test_garbage_instead_of_a_form_is_refused_or_ignored(emulator):
    for body in (b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(200))):
        assert emulator.call("POST", "/session/create", data=body).status_code == 400
    assert emulator.call("POST", "/session/create", data=b"%zz=%&&=;").status_code == 200


def test_a_session_made_before_a_restart_is_still_there_after_it():
    with Emulator() as emulator:
        sdk = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
        session_id = sdk.create_session(media_mode=MediaModes.routed).session_id
        emulator.start()
        sdk = Client(emulator.api_key, emulator.secret, api_url=emulator.url)
        emulator.publish(session_id)
        assert sdk.start_archive(session_id).status == "started"


def test_a_session_that_was_never_made_does_not_exist(emulator, sdk):
    session_id = sdk.create_session(media_mode=MediaModes.routed).session_id
    fields = fields_of(session_id)
    for number, value in ((2, "10.0.0.1"), (3, "1"), (4, "A" * 24), (4, "*"), (5, "P")):
        invented = pack([*fields[:number], value, *fields[number + 1 :]])
        if number == 5:
            # A relayed session would be told that it is relayed, did it exist.
            answer = emulator.call("POST", emulator.archives_path, json={"sessionId": invented})
            assert answer.status_code == 404
            continue
        with pytest.raises(NotFoundError):
            sdk.start_archive(invented)
    with pytest.raises(NotFoundError):
        sdk.start_archive(pack(fields, prefix="2_"))


@pytest.mark.parametrize(
    "session_id",
    ["", "x", "1_", "1_x", "3_" + "A" * 60, "1_" + "A" * 400, "1_" + "é" * 40, None, 7, ["x"]],
)
def test_a_malformed_session_id_is_refused(emulator, session_id):
    answer = emulator.call("POST", emulator.archives_path, json={"sessionId": session_id})
    assert answer.status_code == 400


def test_another_spelling_of_a_session_id_is_malformed(emulator, sdk):
    session_id = sdk.create_session(media_mode=MediaModes.routed).session_id
    assert session_id.endswith("fn4")
    answer = emulator.call(
        "POST", emulator.archives_path, json={"sessionId": session_id[:-1] + "5"}
    )
    assert answer.status_code == 400


def test_another_projects_session_is_refused(emulator, sdk):
    fields = fields_of(sdk.create_session(media_mode=MediaModes.routed).session_id)
    fields[1] = "123456"
    with pytest.raises(RequestError):
        sdk.start_archive(pack(fields))


def test_people_come_publish_and_go(emulator, sdk):
    session_id = sdk.create_session().session_id
    alice, bob = emulator.connect(session_id), emulator.connect(session_id)
    stream = emulator.publish(session_id, alice)
    seen = emulator.control("GET", f"/sessions/{session_id}")
    assert seen["sessionId"] == session_id
    assert [c["connectionId"] for c in seen["connections"]] == [alice, bob]
    assert [(s["streamId"], s["connectionId"]) for s in seen["streams"]] == [(stream, alice)]
    emulator.disconnect(session_id, alice)
    seen = emulator.control("GET", f"/sessions/{session_id}")
    assert [c["connectionId"] for c in seen["connections"]] == [bob]
    assert seen["streams"] == []


def test_control_of_an_unknown_session_is_refused(emulator, sdk):
    fields = fields_of(sdk.create_session().session_id)
    fields[4] = "A" * 24
    for session_id, status in ((pack(fields), 404), ("nonsense", 400)):
        with pytest.raises(ControlRefused) as refused:
            emulator.connect(session_id)
        assert refused.value.status == status


def test_control_of_unknown_people_is_refused(emulator, sdk):
    session_id = sdk.create_session().session_id
    for act in (
        lambda: emulator.disconnect(session_id, "nobody"),
        lambda: emulator.publish(session_id, "nobody"),
        lambda: emulator.unpublish(session_id, "nothing"),
    ):
        with pytest.raises(ControlRefused) as refused:
            act()
        assert refused.value.status == 404


def test_control_knows_the_roles_of_clients(emulator, sdk):
    path = f"/sessions/{sdk.create_session().session_id}/connections"
    with pytest.raises(ControlRefused) as refused:
        emulator.control("POST", path, {"role": "king"})
    assert refused.value.status == 400
    assert emulator.control("POST", path, {"role": "moderator"})


def test_a_session_holds_a_thousand_connections_at_most(emulator, sdk):
    session_id = sdk.create_session().session_id
    with requests.Session() as http:
        url = f"{emulator.url}/_control/sessions/{session_id}/connections"
        statuses = [http.post(url, timeout=10).status_code for _ in range(1001)]
    assert statuses[:1000] == [201] * 1000
    assert statuses[1000] == 400
