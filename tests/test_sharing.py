"""Links to one recording for people who have neither a key nor an account."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import requests
from django.utils import timezone

from archives.sharing import Share
from tests.api_client import Program, refusal
from tests.server_process import Server
from tests.test_contract_views import BROWSER, REFRESH, UNKNOWN, available, started

WEEK = 7 * 86_400


def id_of(path):
    return path.removeprefix("/archive/")


def shared(program, path, **body):
    """The path of a link to a recording."""
    answer = program.post(f"archives/{id_of(path)}/share", **body)
    assert answer.status_code == 201, answer.text
    return answer.json()["url"].removeprefix(program.server.url)


def test_a_link_leads_to_the_file_without_a_key(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url, ANONYMOUS_ACCESS="none") as server:
        program = Program(server, can="manage,join,record,view")
        session_id = program.post("rooms", name="standup").json()["sessionId"]
        opentok.publish(session_id)
        archive_id = program.post("archives", room="standup").json()["id"]
        link = shared(program, archive_id)
        program.post(f"archives/{archive_id}/stop")
        opentok.advance(60)
        assert server.get(f"/archive/{archive_id}/view").status_code == 401
        answer = server.get(link, headers=BROWSER)
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    assert requests.get(answer.headers["Location"], timeout=10).ok


def test_each_use_of_a_link_gets_a_fresh_address_of_the_file(program, server, opentok):
    link = shared(program, available(server, opentok))
    first, second = server.get(link), server.get(f"{link}/")
    assert first.headers["Location"] != second.headers["Location"]


def test_a_link_to_a_running_recording_waits_for_it(program, server, opentok):
    link = shared(program, started(server, opentok))
    page = server.get(link, headers=BROWSER)
    assert (page.status_code, REFRESH in page.text) == (200, True)
    assert page.headers["Referrer-Policy"] == server.get("/readme").headers["Referrer-Policy"]
    assert refusal(server.get(link, headers={"Accept": "application/json"})) == (
        409, "archive_started",
    )  # fmt: skip


def test_a_link_is_good_for_a_week_unless_told_otherwise(program, server, opentok):
    recording = id_of(started(server, opentok))
    for body, seconds in ({}, WEEK), ({"lifetime": 3600}, 3600):
        told = program.post(f"archives/{recording}/share", **body).json()["expiresAt"]
        left = datetime.fromisoformat(told) - timezone.now()
        assert abs(left - timedelta(seconds=seconds)) < timedelta(seconds=30)


@pytest.mark.parametrize("lifetime", [0, 59, 366 * 86_400, "soon", None])
def test_a_lifetime_that_makes_no_sense_is_refused(program, lifetime):
    answer = program.post(f"archives/{UNKNOWN}/share", lifetime=lifetime)
    assert refusal(answer) == (400, "invalid")
    assert answer.json()["detail"].startswith("lifetime: ")


def test_revoking_ends_all_earlier_links_of_this_recording_alone(program, server, opentok):
    path, other = available(server, opentok), available(server, opentok)
    old, kept = shared(program, path), shared(program, other)
    assert program.delete(f"archives/{id_of(path)}/share").status_code == 204
    assert refusal(server.get(old)) == (410, "share_ended")
    assert server.get(kept).status_code == 302
    assert server.get(shared(program, path)).status_code == 302


def test_what_opentok_tells_later_brings_no_revoked_link_back(program, server, opentok):
    path = started(server, opentok)
    link = shared(program, path)
    program.delete(f"archives/{id_of(path)}/share")
    server.post(f"{path}/stop")
    assert refusal(server.get(link)) == (410, "share_ended")


def test_a_link_whose_time_is_over_says_so(program, server, opentok):
    path = available(server, opentok)
    shared(program, path)
    over = Share(UUID(id_of(path)), 0, timezone.now() - timedelta(seconds=1)).path
    assert refusal(server.get(over)) == (410, "share_ended")
    page = server.get(over, headers=BROWSER)
    assert (page.status_code, "Ask the person who sent it" in page.text) == (410, True)


def test_a_link_that_was_not_made_here_leads_nowhere(program, server, opentok):
    link = shared(program, available(server, opentok))
    for wrong in (link[:-1], link.replace("/shared/", "/shared/x"), "/shared/%C3%A9", "/shared/x"):
        assert refusal(server.get(wrong)) == (404, "share_invalid")


def test_an_invitation_is_no_link_to_a_recording(program, server):
    program.post("rooms", name="lobby")
    invitation = program.post("rooms/lobby/invitations").json()["invitation"]
    text = invitation.removeprefix("invite_")
    assert refusal(server.get(f"/shared/{text}")) == (404, "share_invalid")


def test_a_deleted_recording_is_not_shared_and_its_links_say_so(program, server, opentok):
    path = available(server, opentok)
    link = shared(program, path)
    assert program.delete(f"archives/{id_of(path)}").status_code == 204
    assert refusal(server.get(link)) == (410, "archive_deleted")
    assert refusal(program.post(f"archives/{id_of(path)}/share")) == (410, "archive_deleted")


def test_an_unknown_recording_has_no_links(program):
    assert refusal(program.post(f"archives/{UNKNOWN}/share")) == (404, "archive_not_found")
    assert refusal(program.delete(f"archives/{UNKNOWN}/share")) == (404, "archive_not_found")


def test_a_key_for_other_rooms_neither_shares_nor_revokes(server, school, opentok):
    path = id_of(available(server, opentok))
    assert refusal(school.post(f"archives/{path}/share")) == (403, "room_not_covered")
    assert refusal(school.delete(f"archives/{path}/share")) == (403, "room_not_covered")


def test_no_log_has_the_signed_part_of_a_link(opentok, transactional_db):
    with Server(OPENTOK_API_URL=opentok.url) as server:
        program = Program(server)
        link = shared(program, available(server, opentok))
        server.get(link)
        opentok.fault(status=500, times=9)
        assert server.get(link).status_code == 502
        server.get(link[:-1])
        log = server.output()
    assert '"route":"/shared/<link>"' in log
    assert link.removeprefix("/shared/")[:20] not in log
