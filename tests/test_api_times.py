"""Times that /api/v1/ reads are those of RFC 3339, and no others."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from archives.models import Archive
from rooms.models import Room
from tests.api_client import refusal

START = datetime(2017, 1, 1, tzinfo=UTC)
TAKEN = {
    "2030-01-31T12:00:00Z": "2030-01-31T12:00:00Z",
    "2030-01-31t12:00:00z": "2030-01-31T12:00:00Z",
    "2030-01-31 12:00:00+00:00": "2030-01-31T12:00:00Z",
    "2030-01-31T12:00:00-00:00": "2030-01-31T12:00:00Z",
    "2030-01-31T12:00:00.5+05:30": "2030-01-31T06:30:00.500000Z",
    "2030-01-31T12:00:00.123456789z": "2030-01-31T12:00:00.123456Z",
    "9999-12-31T23:59:59Z": "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00Z",
}
REFUSED = [
    "2030-01-31T12:00:00", "2030-01-31", "2030-01-31T12:00Z", "2030-01-31T12Z", "20300131T120000Z",
    "2030-W05-4T12:00:00Z", "2030-031T12:00:00Z", "2030-01-31_12:00:00Z", "2030-01-31T12:00:00+0100",
    "2030-01-31T12:00:00+01", "2030-01-31T12:00:00+24:00", "2030-01-31T12:00:00+01:60",
    "2030-01-31T12:00:00 Z", "2030-01-31T12:00:00,5Z", "2030-01-31T12:00:00.Z", "2030-02-30T12:00:00Z",
    "2030-13-01T12:00:00Z", "2030-01-31T24:00:00Z", "2030-01-31T12:60:00Z", "2030-01-31T12:00:61Z",
    "2030-01-31T12:00:60Z", "2016-12-31T23:59:60Z", " 2030-01-31T12:00:00Z",
    "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z",
    "2030-01-31T12:00:00Z\n", "2030-01-31T12:00:00+01:00:00", "２０30-01-31T12:00:00Z", "1893456000", "now",
]  # fmt: skip


@pytest.mark.parametrize(("sent", "read"), TAKEN.items())
def test_a_time_that_rfc_3339_allows_is_taken_as_that_moment(program, sent, read):
    assert program.post("rooms", name="lobby").status_code == 201
    assert program.patch("rooms/lobby", opensAt=sent).json()["opensAt"] == read
    assert Room.objects.get().opens_at == datetime.fromisoformat(read)


@pytest.mark.parametrize("sent", [*REFUSED, 1893456000, True, ["2030-01-31T12:00:00Z"]], ids=repr)
def test_a_time_that_rfc_3339_does_not_allow_is_refused_with_an_example(program, sent):
    for field in ("opensAt", "closesAt"):
        answer = program.post("rooms", name="lobby", **{field: sent})
        assert refusal(answer) == (400, "invalid")
        assert answer.json()["detail"].startswith(f"{field}: ")
    assert not Room.objects.exists()


@pytest.mark.parametrize("field", ["createdAfter", "createdBefore"])
def test_the_filters_of_recordings_read_times_the_same_way(program, field):
    Archive.objects.create(
        id="80c3d2d8-0000-4000-8000-000000000000",
        session_id="1_x",
        status="available",
        created_at=START,
    )
    for sent, read in TAKEN.items():
        found = program.get("archives?" + urlencode({field: sent}))
        started_since = datetime.fromisoformat(read) <= START
        is_found = started_since if field == "createdAfter" else not started_since
        assert len(found.json()["items"]) == is_found, sent
    for sent in REFUSED:
        assert refusal(program.get("archives?" + urlencode({field: sent}))) == (400, "invalid"), (
            sent
        )
