"""A hold keeps a recording's file: one that is confirmed holds."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from archives.models import Archive
from tests.problems import raises
from tests.test_contract_views import HOUR
from tests.test_transcripts import recorded
from video import archives as door

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(opentok):
    return recorded(opentok)


@pytest.mark.parametrize("is_deleted_twice", [False, True])
def test_nothing_is_held_while_it_is_deleted(row, monkeypatch, is_deleted_twice):
    delete = door.delete_archive

    def delete_meanwhile(archive_id):
        if is_deleted_twice:
            with raises("archive_not_deletable"):
                Archive.objects.remove(archive_id)
        with raises("archive_not_holdable"):
            Archive.objects.hold(archive_id)
        return delete(archive_id)

    monkeypatch.setattr(door, "delete_archive", delete_meanwhile)
    Archive.objects.remove(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.held_at) == ("deleted", None)


def test_nothing_is_held_whose_deletion_ends_just_before(row):
    """And after the look at what may be held."""

    def delete_before(execute, statement, *rest):
        if statement.startswith("UPDATE") and '"held_at" = ' in statement:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE archives_archive SET status = 'deleted'")
        return execute(statement, *rest)

    with connection.execute_wrapper(delete_before), raises("archive_not_holdable"):
        Archive.objects.hold(str(row.pk))
    row.refresh_from_db()
    assert row.held_at is None


def test_it_can_be_held_after_a_deletion_that_failed_or_was_killed(row, opentok):
    opentok.fault(status=500, method="DELETE", path=f"/archive/{row.pk}", times=9)
    with raises("opentok_failed"):
        Archive.objects.remove(str(row.pk))
    Archive.objects.hold(str(row.pk))
    Archive.objects.release(str(row.pk))
    Archive.objects.update(deleting_at=timezone.now() - timedelta(minutes=3))
    Archive.objects.hold(str(row.pk))
    row.refresh_from_db()
    assert row.held_at is not None


def test_what_is_on_hold_is_not_deleted(row):
    Archive.objects.hold(str(row.pk))
    with raises("archive_held"):
        Archive.objects.remove(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.deleting_at) == ("available", None)


def test_what_has_expired_unheard_is_not_held(row, opentok):
    opentok.advance(80 * HOUR)
    Archive.objects.update(created_at=timezone.now() - timedelta(hours=80))
    with raises("archive_not_holdable"):
        Archive.objects.hold(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.held_at) == ("expired", None)
