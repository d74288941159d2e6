"""GET /archive/<id>/view: a link that a person opens in a browser."""

import re

import pytest
import requests

from archives.models import Archive

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
APP = {"Accept": "application/json"}
UNKNOWN = "0a1b2c3d-0000-4000-8000-000000000000"
REFRESH = '<meta http-equiv="refresh"'
HOUR = 3600


def started(server, opentok):
    """The path of a recording that somebody is publishing to, without the /view."""
    session_id = server.get("/room/standup").json()["sessionId"]
    opentok.publish(session_id)
    archive = server.post("/archive/start", json={"sessionId": session_id}).json()
    return f"/archive/{archive['id']}"


def paused(server, opentok):
    session_id = server.get("/room/standup").json()["sessionId"]
    stream_id = opentok.publish(session_id)
    archive = server.post("/archive/start", json={"sessionId": session_id}).json()
    opentok.unpublish(session_id, stream_id)
    return f"/archive/{archive['id']}"


def stopped(server, opentok):
    path = started(server, opentok)
    server.post(f"{path}/stop")
    return path


def available(server, opentok):
    path = stopped(server, opentok)
    opentok.advance(60)
    return path


def uploaded(server, opentok):
    opentok.control("POST", "/storage", {"target": "s3"})
    return available(server, opentok)


def failed(server, opentok):
    path = started(server, opentok)
    opentok.control("POST", f"/archives/{path.removeprefix('/archive/')}/fail")
    return path


def expired(server, opentok):
    path = available(server, opentok)
    opentok.advance(73 * HOUR)
    return path


def deleted(server, opentok):
    path = available(server, opentok)
    opentok.call("DELETE", opentok.archives_path + path.removeprefix("/archive"))
    return path


def as_told(change):
    """A state that the local OpenTok never gets an archive into by itself."""

    def state(server, opentok):
        path = available(server, opentok)
        remote = server.get(path).json() | {"url": None} | change
        opentok.fault(path="/archive", status=200, body=remote)
        return path

    return state


# As OpenTok may show it, too: the object stays, its status is deleted.
deleted_but_still_known = as_told({"status": "deleted"})
available_without_a_link = as_told({})
of_no_known_status = as_told({"status": "brand-new"})


# Available


@pytest.mark.parametrize("headers", [BROWSER, APP, {}], ids=["browser", "app", "no Accept"])
def test_an_available_recording_is_one_redirect_away(server, opentok, headers):
    answer = server.get(f"{available(server, opentok)}/view", headers=headers)
    assert answer.status_code == 302
    recording = requests.get(answer.headers["Location"], timeout=10)
    assert recording.headers["Content-Type"] == "video/mp4"


def test_the_redirect_is_to_the_exact_signed_link(server, opentok):
    link = (
        "https://s3.example/a%2Fb/archive.mp4?Expires=1&Signature=a%2Bb+c/d%3D%3d~(x)'!*"
        "&response-content-disposition=attachment;%20filename=%22a%c3%A4.mp4%22&&x=#y"
    )
    path = available(server, opentok)
    remote = server.get(path).json() | {"url": link}
    opentok.fault(path="/archive", status=200, body=remote)
    assert server.get(f"{path}/view", headers=BROWSER).headers["Location"] == link


def test_every_view_gets_a_new_link_that_nobody_may_keep(server, opentok):
    path = available(server, opentok)
    first, second = server.get(f"{path}/view"), server.get(f"{path}/view/")
    assert first.headers["Location"] != second.headers["Location"]
    assert first.headers["Cache-Control"] == "no-store"


def test_a_link_whose_time_is_over_is_replaced_by_a_good_one(server, opentok):
    path = available(server, opentok)
    old = server.get(f"{path}/view").headers["Location"]
    opentok.advance(HOUR)
    assert requests.get(old, timeout=10).status_code == 403
    new = server.get(f"{path}/view").headers["Location"]
    assert requests.get(new, timeout=10).status_code == 200


# Every other state


@pytest.mark.parametrize(
    ("state", "heading", "elapsed"),
    [
        pytest.param(started, "Still recording", "Started", id="started"),
        pytest.param(paused, "The recording is paused", "Started", id="paused"),
        pytest.param(stopped, "The recording is being prepared", "Stopped", id="stopped"),
        pytest.param(
            available_without_a_link, "The recording is being prepared", "Stopped",
            id="available without a link",
        ),
        pytest.param(
            of_no_known_status, "The recording is being prepared", "Stopped",
            id="of no known status",
        ),
    ],
)  # fmt: skip
def test_a_browser_gets_a_page_that_reloads_while_there_is_hope(
    server, opentok, state, heading, elapsed
):
    answer = server.get(f"{state(server, opentok)}/view", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Refresh" not in answer.headers
    assert REFRESH in answer.text
    assert f"<h1>{heading}</h1>" in answer.text
    assert re.search(rf"{elapsed} ([0-9]+ min )?[0-9]+ s ago\.", answer.text)


@pytest.mark.parametrize(
    ("state", "status", "heading"),
    [
        pytest.param(uploaded, 200, "This recording is in your own storage", id="uploaded"),
        pytest.param(failed, 410, "This recording failed", id="failed"),
        pytest.param(expired, 410, "This recording has expired", id="expired"),
        pytest.param(deleted, 410, "This recording was deleted", id="deleted"),
        pytest.param(
            deleted_but_still_known, 410, "This recording was deleted", id="deleted but still known"
        ),
    ],
)
def test_a_browser_gets_a_page_that_stays_when_there_is_nothing_to_wait_for(
    server, opentok, state, status, heading
):
    answer = server.get(f"{state(server, opentok)}/view", headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert REFRESH not in answer.text
    assert f"<h1>{heading}</h1>" in answer.text


def test_the_page_says_how_long_it_has_been(server, opentok):
    path = started(server, opentok)
    remote = server.get(path).json()
    began = remote["createdAt"] - (2 * HOUR + 5 * 60) * 1000
    opentok.fault(path="/archive", status=200, body=remote | {"createdAt": began})
    Archive.objects.all().delete()
    page = server.get(f"{path}/view", headers=BROWSER)
    assert "Started 2 h 5 min ago." in page.text


def test_the_page_takes_the_person_to_the_recording_when_it_is_ready(server, opentok):
    path = stopped(server, opentok)
    assert REFRESH in server.get(f"{path}/view", headers=BROWSER).text
    opentok.advance(60)
    assert server.get(f"{path}/view", headers=BROWSER).status_code == 302


def test_a_view_needs_no_header_at_all(server, opentok):
    answer = server.get(f"{started(server, opentok)}/view", headers={"Accept": None})
    assert answer.status_code == 200
    assert REFRESH in answer.text


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        pytest.param(started, 409, "archive_started", id="started"),
        pytest.param(paused, 409, "archive_paused", id="paused"),
        pytest.param(stopped, 409, "archive_stopped", id="stopped"),
        pytest.param(uploaded, 409, "archive_uploaded", id="uploaded"),
        pytest.param(failed, 410, "archive_failed", id="failed"),
        pytest.param(expired, 410, "archive_expired", id="expired"),
        pytest.param(deleted, 410, "archive_deleted", id="deleted"),
    ],
)
def test_an_app_that_asks_for_json_is_told_the_same_in_json(server, opentok, state, status, code):
    answer = server.get(f"{state(server, opentok)}/view", headers=APP)
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_a_name_with_markup_stays_text_on_the_page(server, opentok):
    session_id = server.get("/room/%3Cscript%3Ealert(1)%3C%2Fscript%3E").json()["sessionId"]
    opentok.connect(session_id)
    archive = server.post("/archive/start", json={"sessionId": session_id}).json()
    page = server.get(f"/archive/{archive['id']}/view", headers=BROWSER)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script>alert" not in page.text


# What is not there


@pytest.mark.parametrize("archive_id", [UNKNOWN, "undefined"])
def test_a_browser_gets_a_page_for_what_is_not_there(server, archive_id):
    answer = server.get(f"/archive/{archive_id}/view", headers=BROWSER)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert REFRESH not in answer.text
