"""Transcripts are copied to the project's own storage as their recordings are."""

import json
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from archives.copying import copy_due
from archives.managers import ArchiveManager
from archives.models import Archive
from tests.problems import raises
from tests.test_admin_actions import ARCHIVES
from tests.test_admin_recordings import page
from tests.test_contract_views import HOUR
from tests.test_transcripts import recorded
from video import transcripts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(opentok, storage, monkeypatch):
    """Of a recording that has a transcript and is copied; the transcript is not."""
    row = recorded(opentok, output_mode="individual", has_transcription=True)
    with monkeypatch.context() as patch:
        patch.setattr(ArchiveManager, "transcripts_due", ArchiveManager.none)
        copy_due()
    row.refresh_from_db()
    return row


def key_of(row):
    return f"45999999/{row.pk}/transcription.json"


def told(opentok, row, **changed):
    """OpenTok says this of the transcript the next time."""
    remote = row.remote | {"transcription": row.details["transcription"] | changed}
    opentok.fault(path=f"/archive/{row.pk}", status=200, body=remote, times=1)


def look_again(row):
    """Time goes by until the next look."""
    Archive.objects.filter(pk=row.pk).update(transcript_due_at=timezone.now())
    copy_due()


def test_it_is_copied_after_the_recording(row, storage, opentok):
    assert key_of(row) not in set(storage.keys())
    copy_due()
    assert "Hello" in json.dumps(json.loads(storage.content(key_of(row))))
    row.refresh_from_db()
    assert (row.transcript_due_at, row.transcript_stored_at is None) == (None, False)
    asked = len(opentok.requests())
    copy_due()
    assert len(opentok.requests()) == asked


def test_it_is_read_and_downloaded_once_opentok_has_deleted_it(row, opentok, admin_client):
    copy_due()
    opentok.advance(73 * HOUR)
    remote = Archive.objects.fetch(str(row.pk))
    assert remote["status"] == "expired"
    link = Archive.objects.with_links(remote)["transcription"]["url"]
    assert not link.startswith(opentok.url)
    assert "Hello" in requests.get(link, timeout=10).text
    path = f"{ARCHIVES}{row.pk}/transcript/"
    assert f'<a href="{path}">Read it</a>' in page(admin_client, row)
    assert "Hello" in admin_client.get(path).content.decode()
    file = admin_client.get(f"{ARCHIVES}{row.pk}/transcript-file/")["Location"]
    answer = requests.get(file, timeout=10)
    assert (answer.headers["Content-Type"], "Hello" in answer.text) == ("application/json", True)


def test_one_that_was_not_copied_is_gone(row, opentok, admin_client):
    opentok.advance(73 * HOUR)
    look_again(row)
    row.refresh_from_db()
    assert (row.status, row.transcript_stored_at) == ("expired", None)
    asked = len(opentok.requests())
    look_again(row)
    assert len(opentok.requests()) == asked
    remote = Archive.objects.fetch(str(row.pk))
    assert Archive.objects.with_links(remote)["transcription"]["url"] is None
    assert "gone: the recording is expired" in page(admin_client, row)


def test_one_that_is_not_made_yet_is_looked_for_again(row, storage, opentok):
    told(opentok, row, status="started")
    copy_due()
    row.refresh_from_db()
    assert timezone.now() < row.transcript_due_at < timezone.now() + timedelta(minutes=11)
    copy_due()
    assert key_of(row) not in set(storage.keys())  # it is not time yet
    look_again(row)
    assert key_of(row) in set(storage.keys())


@pytest.mark.parametrize("status", ["failed", "uploaded"])
def test_one_that_never_will_be_at_opentok_is_looked_for_no_more(row, storage, opentok, status):
    told(opentok, row, status=status)
    copy_due()
    row.refresh_from_db()
    assert (row.transcript_due_at, row.transcript_stored_at) == (None, None)
    assert key_of(row) not in set(storage.keys())


def test_a_failure_is_tried_again(row, storage, opentok):
    told(opentok, row, status="available", url=f"{opentok.url}/no-such-file")
    copy_due()
    row.refresh_from_db()
    assert row.transcript_due_at > timezone.now()
    assert row.transcript_stored_at is None
    look_again(row)
    assert key_of(row) in set(storage.keys())


def test_one_that_cannot_be_copied_is_told_of_before_it_is_lost(row, opentok):
    Archive.objects.update(created_at=timezone.now() - timedelta(hours=67))
    assert Archive.objects.lost_soon().count() == 1
    Archive.objects.update(transcript_due_at=None)
    assert Archive.objects.lost_soon().count() == 0


def test_one_of_two_processes_copies_it(row):
    row.refresh_from_db()
    other = Archive.objects.get(pk=row.pk)
    assert row.claim_transcript()
    assert not other.claim_transcript()


def test_it_is_deleted_with_the_recording_if_told_so(row, storage, settings):
    copy_due()
    settings.ARCHIVE_STORAGE_DELETE = True
    Archive.objects.remove(str(row.pk))
    assert storage.keys() == []


def test_a_copy_that_is_gone_is_said(row, storage, opentok, admin_client, settings):
    copy_due()
    opentok.advance(73 * HOUR)
    storage.reset()
    with raises("archive_not_stored"):
        Archive.objects.transcript_link(Archive.objects.fetch(str(row.pk)))
    shown = admin_client.get(f"{ARCHIVES}{row.pk}/transcript/", follow=True)
    assert shown.status_code == 200
    assert "storage" in shown.content.decode()


def test_a_recording_without_one_is_not_asked_about_again(opentok, storage):
    row = recorded(opentok)
    copy_due()
    row.refresh_from_db()
    assert (row.stored_at is None, row.transcript_due_at) == (False, None)


def test_one_of_a_deleted_recording_is_not_looked_for(row, opentok):
    Archive.objects.remove(str(row.pk))
    asked = len(opentok.requests())
    look_again(row)
    assert len(opentok.requests()) == asked


def test_a_copy_that_ends_after_the_deletion_is_deleted(row, storage, settings, monkeypatch):
    settings.ARCHIVE_STORAGE_DELETE = True
    fetch = transcripts.fetch

    def fetch_while_deleted(link):
        content = fetch(link)
        Archive.objects.remove(str(row.pk))
        return content

    monkeypatch.setattr(transcripts, "fetch", fetch_while_deleted)
    copy_due()
    row.refresh_from_db()
    assert (row.status, storage.keys()) == ("deleted", [])


def test_a_state_that_is_no_word_harms_no_other_copy(row, storage, opentok):
    told(opentok, row, status=[])
    copy_due()
    other = recorded(opentok)
    copy_due()
    assert f"45999999/{other.pk}/archive.mp4" in set(storage.keys())
