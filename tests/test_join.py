"""The page on which people join a room with their browser."""

import pytest

from archives.models import Archive
from rooms.models import Room


def policy_of(response):
    policy = response.headers["Content-Security-Policy"]
    return dict(part.partition(" ")[::2] for part in policy.split("; "))


def test_a_page_makes_no_room_and_asks_for_the_credentials_of_its_own(client, db):
    page = client.get("/join/Z%C3%BCrich")
    assert page.status_code == 200
    assert 'data-segment="Z%C3%BCrich"' in page.content.decode()
    assert not Room.objects.exists()
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["%22%3E%3Cscript%3E", "a%27b", "%3C%2Fmain%3E"])
def test_a_hostile_name_stays_text(name, client, db):
    text = client.get(f"/join/{name}").content.decode()
    assert "<script>" not in text.partition("<main>")[2]
    assert "</main>" not in text.partition("<main>")[2].partition('id="page"')[2].partition(">")[0]


@pytest.mark.parametrize("path", ["/join/%20", "/join/" + "a" * 300, "/join", "/join?room="])
def test_a_name_that_is_none_is_a_400(path, client, db):
    assert client.get(path).status_code == 400


def test_the_form_of_the_index_leads_to_the_page(client, db):
    page = client.get("/")
    assert 'action="/join"' in page.content.decode()
    answer = client.get("/join?room=a%2Fb c")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/join/a%2Fb%20c")


def test_the_policy_of_the_page_allows_the_sdk_and_its_hosts_alone(client, db, settings):
    settings.OPENTOK_JS_URL = "https://cdn.example/opentok.js"
    policy = policy_of(client.get("/join/standup"))
    assert policy["script-src"] == "'self' https://cdn.example"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "wss://*.tokbox.com" in policy["connect-src"]
    settings.OPENTOK_PROXY_URL = "http://localhost:8081"
    policy = policy_of(client.get("/join/standup"))
    assert policy["connect-src"] == "'self' http://localhost:8081 ws://localhost:8081"


def test_only_named_origins_may_embed_the_page(client, db, settings):
    settings.EMBED_ORIGINS = ["https://school.example"]
    assert policy_of(client.get("/join/standup"))["frame-ancestors"] == "'none'"
    embedded = policy_of(client.get("/join/standup?embed=1"))
    assert embedded["frame-ancestors"] == "https://school.example"


def test_other_pages_keep_their_policy(client, db):
    policy = policy_of(client.get("/", headers={"Accept": "text/html"}))
    assert policy["script-src"] == "'self'"


def test_the_record_button_is_there_where_recording_needs_no_key(client, db, settings):
    settings.ANONYMOUS_ACCESS = ["join"]
    assert 'id="record"' not in client.get("/join/standup").content.decode()
    settings.ANONYMOUS_ACCESS = ["join", "record"]
    assert 'id="record"' in client.get("/join/standup").content.decode()


def test_the_form_is_not_sent_before_its_script_has_come(client, db):
    text = client.get("/join/standup").content.decode()
    assert '<button type="submit" class="main" id="enter" disabled>' in text


def test_the_qr_code_is_the_address_of_the_page(client, db):
    text = client.get("/join/a b").content.decode()
    assert "<title>http://testserver/join/a%20b</title>" in text
    assert 'popovertarget="qr"' in text


def test_people_are_told_before_they_join_what_is_recorded_and_asked(client, db):
    room = Room.objects.create(name="exam", session_id="1_a")
    text = client.get("/join/exam").content.decode()
    assert "This room is being recorded." not in text
    assert '<div id="consent-field" hidden>' in text
    Archive.objects.create(
        id="0a1b2c3d-0000-4000-8000-000000000000", session_id="1_a", status="started"
    )
    room.change_policy(recording_consent=True, waiting_room=True)
    text = client.get("/join/exam").content.decode()
    assert "This room is being recorded." in text
    assert '<div id="consent-field">' in text


def test_those_who_may_not_join_learn_nothing_of_a_room(client, db, settings):
    settings.ANONYMOUS_ACCESS = []
    Room.objects.create(name="exam", session_id="1_a", recording_consent=True)
    assert '<div id="consent-field" hidden>' in client.get("/join/exam").content.decode()


def test_a_link_that_no_camera_could_read_has_no_qr_code(client, db):
    text = client.get("/join/" + "🎥" * 100).content.decode()
    assert 'popovertarget="qr"' not in text


@pytest.mark.parametrize("value", ["ftp://x", "https://", "https://a b", "https://x/?q=1", "x"])
@pytest.mark.parametrize("name", ["OPENTOK_JS_URL", "OPENTOK_PROXY_URL"])
def test_an_address_that_is_none_is_refused_at_the_start(name, value, monkeypatch):
    from django.core.exceptions import ImproperlyConfigured

    from config import environment

    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        environment.web_address(name)
