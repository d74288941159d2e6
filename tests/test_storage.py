"""Recordings in the project's own storage: watched, shared and deleted like those that OpenTok has."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from archives import storage as storages
from archives.models import Archive
from archives.retention import delete_due
from config.environment import Storage as Address
from tests.api_client import Program, refusal
from tests.problems import raises
from tests.server_process import ROOT, Server
from tests.test_admin_recordings import page
from tests.test_contract_views import APP, BROWSER, HOUR, started, stopped

pytestmark = pytest.mark.django_db(transaction=True)

# As the local OpenTok records it.
FILE = (ROOT / "emulator/recording.mp4").read_bytes()


@pytest.fixture(scope="module")
def _lasting_server(_emulator, _storage, django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        Server(
            OPENTOK_API_URL=_emulator.url, ARCHIVE_STORAGE_DELETE="on", WEB_CONCURRENCY="1",
            **_storage.variables,
        ) as server,
    ):  # fmt: skip
        yield server


@pytest.fixture
def server(_lasting_server, opentok, storage):
    return _lasting_server


def id_of(path):
    return path.removeprefix("/archive/")


def key_of(opentok, path):
    return f"{opentok.api_key}/{id_of(path)}/archive.mp4"


def uploaded(server, opentok, storage, content=FILE):
    """The path of a recording that OpenTok has uploaded."""
    opentok.control("POST", "/storage", {"target": "s3"})
    path = stopped(server, opentok)
    opentok.advance(60)
    if content is not None:
        storage.put(key_of(opentok, path), content)
    return path


def test_an_uploaded_recording_is_one_redirect_away(server, opentok, storage):
    path = uploaded(server, opentok, storage)
    for headers in (BROWSER, APP):
        answer = server.get(f"{path}/view", headers=headers)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert "X-Amz-Expires=600" in answer.headers["Location"]
        file = requests.get(answer.headers["Location"], timeout=10)
        assert (file.content, file.headers["Content-Type"]) == (FILE, "video/mp4")
    assert "X-Amz" not in server.output()


def test_the_api_has_the_link_of_an_uploaded_recording_and_the_sample_servers_route_has_not(
    server, opentok, storage
):
    path = uploaded(server, opentok, storage)
    url = Program(server).get(f"archives/{id_of(path)}").json()["url"]
    assert requests.get(url, timeout=10).content == FILE
    assert server.get(path).json()["url"] is None


def test_people_with_a_shared_link_watch_an_uploaded_recording(server, opentok, storage):
    path = uploaded(server, opentok, storage)
    made = Program(server).post(f"archives/{id_of(path)}/share").json()["url"]
    answer = server.get(made.removeprefix(server.url))
    assert requests.get(answer.headers["Location"], timeout=10).content == FILE


def test_the_admin_plays_an_uploaded_recording(server, opentok, storage, admin_client):
    path = uploaded(server, opentok, storage)
    server.get(path)
    row = Archive.objects.get()
    watch = reverse("admin:watch", args=[row.pk])
    text = page(admin_client, row)
    assert f'src="{watch}"' in text
    assert "uploaded to your own storage" in text
    answer = admin_client.get(watch)
    assert requests.get(answer["Location"], timeout=10).content == FILE


def test_an_upload_that_is_missing_is_told_as_such(server, opentok, storage, admin_client):
    path = uploaded(server, opentok, storage, content=None)
    assert refusal(server.get(f"{path}/view", headers=APP)) == (404, "archive_not_stored")
    shown = server.get(f"{path}/view", headers=BROWSER)
    assert (shown.status_code, "which has nothing of it" in shown.text) == (404, True)
    assert Program(server).get(f"archives/{id_of(path)}").json()["url"] is None
    answer = admin_client.get(reverse("admin:watch", args=[id_of(path)]), follow=True)
    assert "which has nothing of it" in answer.content.decode()


def test_an_upload_that_is_not_whole_is_told_as_such(server, opentok, storage):
    path = uploaded(server, opentok, storage, content=b"half")
    answer = server.get(f"{path}/view", headers=APP)
    assert refusal(answer) == (404, "archive_not_stored")
    assert "which has 4 of " in answer.json()["detail"]


def test_a_storage_that_does_not_answer_is_a_502_and_no_log_has_a_secret(opentok, storage):
    dead = storage.variables | {
        "ARCHIVE_STORAGE_URL": "s3://recordings?endpoint=http://127.0.0.1:9"
    }
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1", **dead) as server:
        path = uploaded(server, opentok, storage)
        assert refusal(server.get(f"{path}/view", headers=APP)) == (502, "storage_failed")
        log = server.output()
    assert "EndpointConnectionError for head_object" in log
    assert "hunter2" not in log


def test_what_the_storage_refuses_is_in_the_log_in_its_words(opentok, storage):
    other = storage.variables | {
        "ARCHIVE_STORAGE_URL": f"s3://nobodys?region=eu-west-1&endpoint={storage.url}"
    }
    with Server(OPENTOK_API_URL=opentok.url, WEB_CONCURRENCY="1", **other) as server:
        path = uploaded(server, opentok, storage)
        assert refusal(server.get(f"{path}/view", headers=APP)) == (404, "archive_not_stored")


def test_deleting_deletes_in_the_storage_as_well_if_told_so(server, opentok, storage):
    path = uploaded(server, opentok, storage)
    assert Program(server).delete(f"archives/{id_of(path)}").status_code == 204
    assert storage.keys() == []
    assert refusal(server.get(f"{path}/view", headers=APP)) == (410, "archive_deleted")


def test_deleting_leaves_the_storage_alone_otherwise(server, opentok, storage):
    path = uploaded(server, opentok, storage)
    server.get(path)
    Archive.objects.remove(id_of(path))
    assert storage.keys() == [key_of(opentok, path)]
    assert refusal(server.get(f"{path}/view", headers=APP)) == (410, "archive_deleted")


def test_what_the_storage_does_not_delete_stays_at_opentok(server, opentok, storage, settings):
    path = uploaded(server, opentok, storage)
    server.get(path)
    settings.ARCHIVE_STORAGE_DELETE = True
    settings.ARCHIVE_STORAGE = storage.bucket._replace(name="nobodys")
    with raises("storage_failed"):
        Archive.objects.remove(id_of(path))
    assert server.get(path).json()["status"] == "uploaded"


def test_a_rule_leaves_what_opentok_uploaded_where_it_is_watched(
    server, opentok, storage, settings
):
    path = uploaded(server, opentok, storage)
    server.get(path)
    settings.ARCHIVE_DAYS = 30
    Archive.objects.update(created_at=timezone.now() - timedelta(days=31))
    delete_due()
    assert storage.keys() == [key_of(opentok, path)]
    assert server.get(f"{path}/view", headers=APP).status_code == 302


def test_staff_save_a_file_of_the_storage_under_the_name_of_its_room(
    server, opentok, storage, admin_client
):
    path = uploaded(server, opentok, storage)
    server.get(path)
    Archive.objects.update(room_name="Über/uns", created_at=datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    row = Archive.objects.get()
    download = reverse("admin:download", args=[row.pk])
    text = page(admin_client, row)
    assert f'<a href="{download}">Download</a>' in text
    assert ">Open the file</a>" in text
    answer = requests.get(admin_client.get(download)["Location"], timeout=10)
    assert answer.content == FILE
    name = "attachment; filename*=utf-8''%C3%9Cberuns_2026-03-01_09.05.mp4"
    assert answer.headers["Content-Disposition"] == name
    storage.reset()
    assert "which has nothing of it" in admin_client.get(download, follow=True).content.decode()


@pytest.mark.parametrize(
    ("bucket", "region", "begin"),
    [
        ("recordings", "eu-west-1", "https://recordings.s3.eu-west-1.amazonaws.com/4/a.mp4?"),
        ("recordings", "", "https://recordings.s3.amazonaws.com/4/a.mp4?"),
        ("video.example", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/video.example/4/a.mp4?"),
    ],
)
def test_a_link_leads_to_the_region_of_the_bucket(storage, settings, bucket, region, begin):
    settings.ARCHIVE_STORAGE = Address("s3", bucket, "", region)
    link = storages.current().link("4/a.mp4", media_type="video/mp4", seconds=600)
    assert link.startswith(begin)


def test_a_running_recording_is_not_looked_for_in_the_storage(server, opentok, storage):
    path = started(server, opentok)
    assert refusal(server.get(f"{path}/view", headers=APP)) == (409, "archive_started")


def test_a_file_of_single_streams_is_a_zip_under_the_prefix_of_the_storage(settings, storage):
    settings.ARCHIVE_STORAGE = storage.bucket._replace(prefix="video/eu")
    row = Archive(id="0a1b2c3d-0000-4000-8000-000000000000", details={"outputMode": "individual"})
    assert storages.key_of(row) == f"video/eu/45999999/{row.pk}/archive.zip"
    assert row.media_type == "application/zip"


def test_an_expired_recording_without_a_copy_is_gone_with_a_storage_as_well(
    server, opentok, storage
):
    path = stopped(server, opentok)
    opentok.advance(60 + 73 * HOUR)
    assert refusal(server.get(f"{path}/view", headers=APP)) == (410, "archive_expired")
