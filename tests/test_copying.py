"""Recordings are copied to the project's own storage before OpenTok deletes them."""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from threading import Thread

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from archives import retention
from archives.copying import copy_due
from archives.models import Archive
from archives.storage.s3 import S3
from audit.models import Entry
from config import environment
from ops.doctor.running import recordings
from rooms.models import Room
from tests.azurite_process import KEY as KEY_OF_AZURE
from tests.problems import raises
from tests.range_server import RangeServer
from tests.server_process import ROOT, Server, url_of_test_database
from tests.test_admin_recordings import page
from tests.test_contract_views import HOUR
from tests.test_dashboard import parts
from tests.test_metrics import KEY
from tests.test_storage import FILE
from video import archives as door
from video.downloads import PIECE_BYTES

pytestmark = pytest.mark.django_db(transaction=True)

# Three pieces and a bit.
LARGE = random.Random(1).randbytes(3 * PIECE_BYTES + 5)


@pytest.fixture
def row(opentok, storage):
    """Of an available recording."""
    room = Room.objects.open("standup")
    opentok.publish(room.session_id)
    archive_id = Archive.objects.start(room.session_id)["id"]
    Archive.objects.stop(archive_id)
    opentok.advance(60)
    Archive.objects.fetch(archive_id)
    return Archive.objects.get()


@pytest.fixture
def large(opentok, row):
    """The file of that recording, on a server of its own: three pieces and a bit."""
    with RangeServer(LARGE) as files:
        told = row.remote | {"status": "available", "size": len(LARGE), "url": files.url}
        opentok.fault(path=f"/archive/{row.pk}", status=200, body=told, times=999)
        Archive.objects.fetch(str(row.pk))
        yield files


def key_of(row):
    return f"45999999/{row.pk}/archive.mp4"


def later(row):
    """Time goes by until the claim or the pause is over."""
    Archive.objects.filter(pk=row.pk).update(storage_due_at=timezone.now())


def test_an_available_recording_is_copied_once(row, storage, opentok):
    copy_due()
    assert storage.content(key_of(row)) == FILE
    row.refresh_from_db()
    assert (row.stored_bytes, row.storage_upload, row.storage_error) == (len(FILE), None, None)
    assert storage.unfinished() == []
    (entry,) = Entry.objects.filter(what="recording.copied")
    assert (entry.actor_kind, entry.room_name) == ("server", "standup")
    asked = len(opentok.requests())
    copy_due()
    assert len(opentok.requests()) == asked


def test_a_copied_recording_is_watched_and_shared_after_opentok_has_deleted_it(
    row, storage, opentok, client, admin_client
):
    copy_due()
    opentok.advance(73 * HOUR)
    remote = Archive.objects.fetch(str(row.pk))
    assert remote["status"] == "expired"
    assert requests.get(Archive.objects.link(remote), timeout=10).content == FILE
    share = Archive.objects.share(str(row.pk), lifetime=3600)
    assert requests.get(client.get(share.path)["Location"], timeout=10).content == FILE
    row.refresh_from_db()
    watch = reverse("admin:watch", args=[row.pk])
    text = page(admin_client, row)
    assert f'src="{watch}"' in text
    assert "in your own storage" in text
    assert requests.get(admin_client.get(watch)["Location"], timeout=10).content == FILE


@pytest.mark.parametrize("hours", [1, 73])
def test_a_copied_recording_is_watched_after_opentok_has_forgotten_it(row, opentok, hours):
    copy_due()
    Archive.objects.update(created_at=timezone.now() - timedelta(hours=hours))
    opentok.fault(path=f"/archive/{row.pk}", status=404, times=1)
    remote = Archive.objects.fetch(str(row.pk))
    assert remote["status"] == "expired"
    assert requests.get(Archive.objects.link(remote), timeout=10).content == FILE


def test_a_recording_without_a_copy_that_opentok_does_not_have_was_deleted(row, opentok):
    opentok.fault(path=f"/archive/{row.pk}", status=404, times=1)
    with raises("archive_deleted"):
        Archive.objects.fetch(str(row.pk))


@pytest.mark.parametrize("told_by", ["a 404", "an answer", "a callback"])
def test_a_copied_recording_that_somebody_deletes_at_opentok_is_still_watched(
    row, opentok, told_by
):
    copy_due()
    row.refresh_from_db()
    deleted = row.remote | {"status": "deleted"}
    door.delete_archive(str(row.pk))
    if told_by == "a callback":
        Archive.objects.apply_callback(deleted)
        assert Archive.objects.get().status == "expired"
    elif told_by == "an answer":
        opentok.fault(path=f"/archive/{row.pk}", status=200, body=deleted, times=1)
    remote = Archive.objects.fetch(str(row.pk))
    assert (remote["status"], Archive.objects.get().status) == ("expired", "expired")
    assert requests.get(Archive.objects.link(remote), timeout=10).content == FILE


def test_a_copied_recording_that_cannot_be_stopped_at_opentok_is_still_watched(row, opentok):
    copy_due()
    opentok.fault(path=f"/archive/{row.pk}/stop", status=404, times=1)
    with raises("archive_not_found"):
        Archive.objects.stop(str(row.pk))
    assert Archive.objects.get().is_in_storage


def test_a_copied_recording_that_is_deleted_here_is_deleted_for_everybody(row, storage, opentok):
    copy_due()
    row.refresh_from_db()
    Archive.objects.remove(str(row.pk))
    Archive.objects.apply_callback(row.remote | {"status": "deleted"})
    with raises("archive_deleted"):
        Archive.objects.fetch(str(row.pk))
    assert Archive.objects.get().status == "deleted"
    assert storage.keys() == [key_of(row)]


def test_what_opentok_tells_of_a_deletion_while_it_lasts_is_a_deletion(row, monkeypatch):
    copy_due()
    row.refresh_from_db()
    heard = []

    def delete(archive_id):
        Archive.objects.apply_callback(row.remote | {"status": "deleted"})
        heard.append(Archive.objects.get().status)

    monkeypatch.setattr(door, "delete_archive", delete)
    Archive.objects.remove(str(row.pk))
    assert heard == ["deleted"]


@pytest.mark.parametrize("status", ["available", "uploaded", "expired"])
def test_a_stored_recording_of_an_earlier_project_is_watched_and_deleted_without_opentok(
    row, storage, opentok, settings, client, status
):
    copy_due()
    Archive.objects.update(status=status)
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_API_KEY": "999"}
    asked = len(opentok.requests())
    share = Archive.objects.share(str(row.pk), lifetime=3600)
    assert requests.get(client.get(share.path)["Location"], timeout=10).content == FILE
    if status != "uploaded":
        with raises("archive_not_deletable"):
            Archive.objects.remove(str(row.pk))
    settings.ARCHIVE_STORAGE_DELETE = True
    Archive.objects.remove(str(row.pk))
    assert (storage.keys(), Archive.objects.get().status) == ([], "deleted")
    assert len(opentok.requests()) == asked


def test_a_rule_deletes_the_copies_of_an_earlier_project(row, storage, settings, monkeypatch):
    monkeypatch.setattr(retention, "_last_tried", None)
    copy_due()
    settings.OPENTOK = settings.OPENTOK | {"TOKBOX_API_KEY": "999"}
    settings.ARCHIVE_DAYS, settings.ARCHIVE_STORAGE_DELETE = 1, True
    Archive.objects.update(created_at=timezone.now() - timedelta(days=2))
    retention.delete_due()
    assert (storage.keys(), Archive.objects.get().status) == ([], "deleted")


def test_a_copy_that_was_not_noted_before_opentok_deleted_its_file_is_found(
    row, storage, opentok, admin_client
):
    copy_due()
    opentok.advance(73 * HOUR)
    Archive.objects.update(stored_at=None, stored_bytes=None)  # such as after a restore
    remote = Archive.objects.fetch(str(row.pk))
    storage.put(key_of(row), FILE[:-1])
    assert Archive.objects.link(remote) is None
    assert Archive.objects.get().stored_at is None
    watch = reverse("admin:watch", args=[row.pk])
    assert f'<a href="{watch}">Look for it in your own storage</a>' in page(admin_client, row)
    storage.put(key_of(row), FILE)
    assert requests.get(admin_client.get(watch)["Location"], timeout=10).content == FILE
    assert Archive.objects.get().stored_bytes == len(FILE)
    assert "in your own storage, " in page(admin_client, row)


def test_a_copy_of_an_expired_recording_is_deleted_if_told_so(row, storage, opentok, settings):
    copy_due()
    opentok.advance(73 * HOUR)
    Archive.objects.fetch(str(row.pk))
    with raises("archive_not_deletable"):
        Archive.objects.remove(str(row.pk))
    settings.ARCHIVE_STORAGE_DELETE = True
    Archive.objects.remove(str(row.pk))
    assert storage.keys() == []
    assert Archive.objects.link(Archive.objects.fetch(str(row.pk))) is None


def test_a_copy_of_a_recording_that_expired_unheard_is_deleted(row, storage, opentok, settings):
    settings.ARCHIVE_STORAGE_DELETE = True
    copy_due()
    opentok.advance(73 * HOUR)
    Archive.objects.update(created_at=timezone.now() - timedelta(hours=73))
    Archive.objects.remove(str(row.pk))
    assert (storage.keys(), Archive.objects.get().status) == ([], "deleted")


def test_a_large_file_is_copied_piece_by_piece(row, large, storage):
    copy_due()
    assert storage.content(key_of(row)) == LARGE
    assert large.ranges == [0, PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES]


def test_a_copy_goes_on_where_its_time_was_over(row, large, storage, admin_client):
    copy_due(0)
    copy_due(0)
    row.refresh_from_db()
    assert (row.stored_at, row.stored_bytes) == (None, 2 * PIECE_BYTES)
    assert "copied 16.0\xa0MB of 24.0\xa0MB" in page(admin_client, row)
    copy_due()
    assert storage.content(key_of(row)) == LARGE
    assert large.ranges == [0, PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES]


def copy_and_close(seconds):
    copy_due(seconds)
    connection.close()


def test_a_copy_goes_on_where_a_killed_process_has_ended(row, large, storage, opentok):
    large.stuck_at = 2 * PIECE_BYTES
    process = copying_process(opentok, storage)
    try:
        assert large.is_stuck.wait(60)
    finally:
        process.kill()
        process.wait()
    large.stuck_at = None
    copy_due()
    assert large.ranges[-1] == 2 * PIECE_BYTES  # as long as it is that process's, nobody else's
    later(row)
    copy_due()
    assert storage.content(key_of(row)) == LARGE
    assert large.ranges == [0, PIECE_BYTES, *[2 * PIECE_BYTES] * 2, 3 * PIECE_BYTES]
    assert storage.unfinished() == []


def copying_process(opentok, storage):
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database(),
           "OPENTOK_API_URL": opentok.url}  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "manage.py", "housekeeping"],
        cwd=ROOT, env=os.environ | own | storage.variables,
    )  # fmt: skip


def test_a_copy_that_ended_before_it_was_noted_is_found(row, large, storage):
    storage.put(key_of(row), LARGE)
    copy_due()
    assert Archive.objects.get().stored_at
    assert large.ranges == []


def test_several_at_once_copy_each_recording_once(row, large, storage):
    threads = [Thread(target=copy_and_close, args=[60]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.content(key_of(row)) == LARGE
    assert large.ranges == [0, PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES]


def test_a_recording_that_is_deleted_meanwhile_is_not_copied_to_its_end(row, large, storage):
    large.stuck_at = PIECE_BYTES
    copying = Thread(target=copy_and_close, args=[60])
    copying.start()
    assert large.is_stuck.wait(30)
    Archive.objects.filter(pk=row.pk).update(status="deleted")
    large.go_on.set()
    copying.join()
    assert storage.keys() == []
    assert large.ranges == [0, PIECE_BYTES]


@pytest.mark.parametrize("is_on", [True, False])
def test_deleting_a_recording_ends_its_copy_and_leaves_no_part(
    row, large, storage, settings, caplog, is_on
):
    settings.ARCHIVE_STORAGE_DELETE = is_on
    large.stuck_at = PIECE_BYTES
    copying = Thread(target=copy_and_close, args=[60])
    copying.start()
    assert large.is_stuck.wait(30)
    Archive.objects.remove(str(row.pk))
    large.go_on.set()
    copying.join()
    assert (storage.keys(), storage.unfinished()) == ([], [])
    assert "not to be copied by this process any more" in caplog.text
    assert Archive.objects.get().status == "deleted"


def test_a_failure_is_told_and_tried_again_after_a_pause(
    row, storage, opentok, settings, admin_client
):
    settings.ARCHIVE_STORAGE = storage.bucket._replace(name="nobodys")
    copy_due()
    row.refresh_from_db()
    assert "NoSuchBucket" in row.storage_error
    assert "not in your own storage: The storage of recordings failed: NoSuchBucket" in page(
        admin_client, row
    )
    settings.ARCHIVE_STORAGE = storage.bucket
    copy_due()
    assert storage.keys() == []
    later(row)
    copy_due()
    assert storage.keys() == [key_of(row)]


def test_a_file_that_comes_otherwise_than_asked_for_is_no_copy(row, large, storage):
    large.lies = True
    copy_due()
    assert storage.keys() == []
    assert "206 for a piece of a file" in Archive.objects.get().storage_error


def test_an_empty_file_is_no_copy(row, large, storage):
    large.content = b""
    copy_due()
    assert "an empty file" in Archive.objects.get().storage_error


def test_an_upload_of_opentok_is_looked_for_and_noted(row, storage):
    Archive.objects.update(status="uploaded", size=len(FILE))
    copy_due()
    assert "has nothing of it" in Archive.objects.get().storage_error
    storage.put(key_of(row), FILE)
    later(row)
    copy_due()
    found = Archive.objects.get()
    assert (found.stored_bytes, found.storage_error) == (len(FILE), None)


def test_nothing_is_copied_without_a_storage(row, settings, storage):
    settings.ARCHIVE_STORAGE = type(storage.bucket)()
    call_command("housekeeping")
    assert storage.keys() == []


@pytest.mark.parametrize(("hours", "is_told"), [(65, False), (67, True), (80, True), (100, False)])
def test_a_loss_is_told_six_hours_before(row, hours, is_told):
    created_at = timezone.now() - timedelta(hours=hours)
    Archive.objects.update(created_at=created_at)
    assert Archive.objects.lost_soon().exists() == is_told
    Archive.objects.update(stored_at=timezone.now())
    assert not Archive.objects.lost_soon().exists()


def test_the_dashboard_shows_what_is_not_copied_and_why(row, storage, admin_client):
    made = timezone.now() - timedelta(hours=60)
    Archive.objects.update(created_at=made, updated_at=made, storage_error="<i>NoSuchBucket")
    shown = parts(admin_client)["Files that go within a day"]
    assert "not in your own storage: &lt;i&gt;NoSuchBucket" in shown
    Archive.objects.update(stored_at=made)
    assert str(row.pk) not in parts(admin_client)["Files that go within a day"]


def test_the_metrics_and_the_doctor_tell_of_a_loss(row, storage, client):
    assert "rooms_archives_lost_soon 0.0" in client.get("/metrics", headers=KEY).content.decode()
    assert told_by_the_doctor() == [("ok", "The storage of ARCHIVE_STORAGE_URL takes files.")]
    Archive.objects.update(created_at=timezone.now() - timedelta(hours=67))
    assert "rooms_archives_lost_soon 1.0" in client.get("/metrics", headers=KEY).content.decode()
    assert told_by_the_doctor()[1] == (
        "error", "OpenTok deletes 1 within six hours that are not in the storage yet.",
    )  # fmt: skip
    assert storage.unfinished() == []


def test_the_doctor_says_what_the_storage_refuses(opentok, storage, settings):
    settings.ARCHIVE_STORAGE = storage.bucket._replace(name="nobodys")
    ((level, message),) = told_by_the_doctor()
    assert level == "error"
    assert "takes no files: NoSuchBucket for create_multipart_upload" in message


@pytest.mark.parametrize(("kind", "other"), [("s3", "AZURE"), ("azure", "AWS")])
def test_the_doctor_names_the_credentials_of_the_kind_of_storage(kind, other, settings):
    names = {"s3": "AWS_SECRET_ACCESS_KEY", "azure": "AZURE_STORAGE_KEY"}
    settings.AZURE_STORAGE_KEY = KEY_OF_AZURE
    settings.ARCHIVE_STORAGE = environment.Storage(
        kind, "recordings", region="eu-west-1", endpoint="http://127.0.0.1:9/rooms", account="rooms"
    )
    (found,) = recordings()
    assert (found.level, names[kind] in found.remedy) == ("error", True)
    assert other not in found.remedy


def told_by_the_doctor():
    return [(found.level, found.message) for found in recordings()]


def test_a_server_copies_by_itself(row, storage, opentok):
    with Server(OPENTOK_API_URL=opentok.url, WORKER="on", WEB_CONCURRENCY="1", **storage.variables):
        deadline = time.monotonic() + 60
        while not storage.keys() and time.monotonic() < deadline:
            time.sleep(0.2)
    assert storage.content(key_of(row)) == FILE


@pytest.mark.parametrize(
    "wrong",
    ["https://bucket", "s3://", "s3://Bucket", "s3://b@cket", "s3://bucket?endpoint=s3.example.com",
     "s3://bucket?secret=x", "s3://bucket?region", "azure://account", "azure://Ac/bucket"],
)  # fmt: skip
def test_an_address_that_is_no_storage_is_refused_by_the_name_of_its_variable(monkeypatch, wrong):
    monkeypatch.setenv("ARCHIVE_STORAGE_URL", wrong)
    with pytest.raises(ImproperlyConfigured, match="ARCHIVE_STORAGE_URL must be like s3://"):
        environment.storage("ARCHIVE_STORAGE_URL")


def test_an_address_of_a_storage_has_its_parts(monkeypatch):
    monkeypatch.setenv(
        "ARCHIVE_STORAGE_URL",
        "s3://my-bucket/a/b/?region=eu-west-1&endpoint=https://s3.example.com/",
    )
    assert environment.storage("ARCHIVE_STORAGE_URL") == (
        "s3", "my-bucket", "a/b", "eu-west-1", "https://s3.example.com", "",
    )  # fmt: skip


def test_a_server_without_a_storage_imports_nothing_for_it():
    code = "import django; django.setup(); import sys, config.urls, ops.worker; print('botocore' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_a_storage_without_its_package_keeps_the_server_from_starting(storage):
    code = (
        "import sys; sys.modules['botocore'] = None; import django; django.setup(); "
        "from ops.checks import refuse_to_start_misconfigured as check; check()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | storage.variables | {"DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install -r requirements-storage.txt" in done.stderr


def test_no_copy_is_made_while_a_recording_is_deleted(row, storage, settings, monkeypatch):
    settings.ARCHIVE_STORAGE_DELETE = True
    copy_due()
    delete = door.delete_archive

    def delete_slowly(archive_id):
        copy_due()
        return delete(archive_id)

    monkeypatch.setattr(door, "delete_archive", delete_slowly)
    Archive.objects.remove(str(row.pk))
    row.refresh_from_db()
    assert (row.status, storage.keys()) == ("deleted", [])


def test_a_copy_that_ends_after_the_deletion_is_deleted(row, storage, settings, monkeypatch):
    settings.ARCHIVE_STORAGE_DELETE = True
    finish = S3.finish

    def finish_late(self, *args, **options):
        Archive.objects.remove(str(row.pk))
        finish(self, *args, **options)

    abandon = S3.abandon
    monkeypatch.setattr(S3, "abandon", lambda *args: None)  # the last part is on its way
    monkeypatch.setattr(S3, "finish", finish_late)
    copy_due()
    monkeypatch.setattr(S3, "abandon", abandon)
    row.refresh_from_db()
    assert (row.status, storage.keys()) == ("deleted", [])


def test_a_deletion_that_failed_keeps_nothing_from_being_copied(row, storage, opentok):
    opentok.fault(status=500, method="DELETE", path=f"/archive/{row.pk}", times=9)
    with raises("opentok_failed"):
        Archive.objects.remove(str(row.pk))
    copy_due()
    assert storage.content(key_of(row)) == FILE
