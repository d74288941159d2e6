"""`manage.py doctor`: what it finds on each database."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from archives.models import Archive
from meetings.models import Meeting
from ops.doctor.running import NEWEST_RECORDINGS
from rooms.models import Room
from tests.test_doctor import Diagnosis, run, run_here

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doctor(opentok):
    def examine(**variables):
        if not variables:  # this process is configured like its own would be
            return Diagnosis(run_here("--json"))
        return Diagnosis(run("--json", OPENTOK_API_URL=opentok.url, **variables))

    return examine


def test_where_nothing_is_wrong_it_says_so_in_a_line_each(opentok):
    done = run(OPENTOK_API_URL=opentok.url)
    assert done.returncode == 0
    lines = done.stdout.partition("\n\n")[0].splitlines()
    subjects = [line.split(":")[0].split(None, 1) for line in lines]
    assert [subject for level, subject in subjects if level == "ok"][:6] == [
        "release", "platform", "configuration", "credentials", "clock", "database",
    ]  # fmt: skip
    assert not [subject for level, subject in subjects if level == "error"]
    assert opentok.secret not in done.stdout + done.stderr


def test_callbacks_that_cannot_or_do_not_come_are_a_warning(doctor):
    level, text = doctor(CALLBACK_SECRET=" ").of("callbacks")
    assert (level, "CALLBACK_SECRET is not set" in text) == ("warning", True)
    assert doctor().of("callbacks")[0] == "ok"
    for _ in range(NEWEST_RECORDINGS + 1):
        Archive.objects.create(id=uuid4(), session_id="1_x", status="available")
    level, text = doctor().of("callbacks")
    assert (level, "the 10 newest recordings" in text) == ("warning", True)
    newest, *_, oldest = Archive.objects.all()
    Archive.objects.filter(pk=oldest.pk).update(called_back_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert doctor().of("callbacks")[0] == "warning"  # they have ceased to come
    Archive.objects.filter(pk=newest.pk).update(called_back_at=datetime(2026, 1, 3, tzinfo=UTC))
    level, text = doctor().of("callbacks")
    assert (level, "came at 2026-01-03 00:00 UTC" in text) == ("ok", True)


def test_session_monitoring_of_which_no_callback_came_is_a_warning(doctor):
    forgotten = timezone.now() - timedelta(days=31)
    Meeting.objects.create(session_id="1_x", started_at=forgotten, ended_at=forgotten)
    assert "session monitoring" not in {found["subject"] for found in doctor().findings}
    long_ago = timezone.now() - timedelta(days=8)
    room = Room.objects.create(name="lobby", session_id="1_y", last_used_at=long_ago)
    assert "session monitoring" not in {found["subject"] for found in doctor().findings}
    Room.objects.filter(pk=room.pk).update(last_used_at=timezone.now())
    level, text = doctor().of("session monitoring")
    assert (level, "Rooms were used" in text) == ("warning", True)
    meeting = Meeting.objects.create(session_id="1_x", started_at=timezone.now())
    there = meeting.connections.create(pk=str(uuid4()), connected_at=meeting.started_at)
    level, text = doctor().of("session monitoring")
    assert (level, "in the newest meetings" in text) == ("warning", True)
    there.streams.create(pk=str(uuid4()), started_at=meeting.started_at)
    assert doctor().of("session monitoring")[0] == "ok"
    assert "somebody looks" in doctor(CALLBACK_SECRET=" ").of("callbacks")[1]


def test_more_connections_than_postgresql_has_are_a_warning(doctor):
    limits = [
        found for found in doctor(WEB_CONCURRENCY="64").findings if found["subject"] == "limits"
    ]
    if connection.vendor == "postgresql":
        assert limits[0]["level"] == "warning"
        assert "512 connections" in limits[0]["message"]
        assert "Set WEB_CONCURRENCY to" in limits[0]["remedy"]
    else:
        assert [found["level"] for found in limits] == ["ok"]
