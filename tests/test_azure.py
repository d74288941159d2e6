"""The same in a container of Azure; test_storage.py and test_copying.py test more, with S3."""

import pytest
import requests

from archives import storage as storages
from archives.copying import copy_due
from archives.models import Archive
from ops.doctor.running import recordings
from tests.azurite_process import KEY, PROGRAM, Azurite
from tests.problems import raises
from tests.test_copying import LARGE, key_of, large, row  # noqa: F401  fixtures
from tests.test_storage import FILE
from tests.test_transcripts import recorded
from video.downloads import PIECE_BYTES

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not PROGRAM, reason="no azurite-blob, which npm has"),
]


@pytest.fixture(scope="module")
def _azurite():
    with Azurite() as azurite:
        yield azurite


@pytest.fixture
def storage(_azurite, settings):
    settings.ARCHIVE_STORAGE = _azurite.place
    settings.AZURE_STORAGE_KEY = KEY
    return _azurite


def test_a_file_is_looked_for_linked_to_and_deleted(storage):
    store = storages.current()
    assert store.size("1/a/archive.mp4") is None
    storage.put("1/a/archive.mp4", FILE)
    assert store.size("1/a/archive.mp4") == len(FILE)
    link = store.link("1/a/archive.mp4", media_type="video/mp4", seconds=60)
    answer = requests.get(link, timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (FILE, "video/mp4")
    assert requests.get(link.partition("?")[0], timeout=10).status_code == 403
    disposition = "attachment; filename*=utf-8''%C3%9Cber_uns.mp4"
    link = store.link(
        "1/a/archive.mp4", media_type="video/mp4", seconds=60, disposition=disposition
    )
    assert requests.get(link, timeout=10).headers["Content-Disposition"] == disposition
    store.delete("1/a/archive.mp4")
    store.delete("1/a/archive.mp4")
    assert store.size("1/a/archive.mp4") is None


def test_a_large_recording_is_copied_in_parts_and_goes_on(row, large, storage):  # noqa: F811
    copy_due(0)
    assert large.ranges == [0]
    copy_due()
    assert storage.content(key_of(row)) == LARGE
    assert large.ranges == [0, PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES]


def test_a_copied_recording_is_deleted_if_told_so(row, storage, settings):  # noqa: F811
    copy_due()
    assert storage.content(key_of(row)) == FILE
    settings.ARCHIVE_STORAGE_DELETE = True
    Archive.objects.remove(str(row.pk))
    assert storages.current().size(key_of(row)) is None


def test_the_doctor_tells_what_azure_says(storage, settings, db):
    assert [found.level for found in recordings()] == ["ok"]
    settings.ARCHIVE_STORAGE = storage.place._replace(name="nobodys")
    (found,) = recordings()
    assert (found.level, "ContainerNotFound for a block" in found.message) == ("error", True)
    assert "AZURE_STORAGE_KEY" in found.remedy
    assert "AWS" not in found.remedy


def test_a_container_out_of_reach_is_said_without_its_key(storage, settings):
    settings.ARCHIVE_STORAGE = storage.place._replace(endpoint="http://127.0.0.1:9/roomstests")
    with raises("storage_failed") as told:
        storages.current().size("1/a/archive.mp4")
    assert told.value.reason == "ServiceRequestError for a look"


def test_a_transcript_is_copied_and_deleted(opentok, storage, settings):
    spoken = recorded(opentok, output_mode="individual", has_transcription=True)
    copy_due()
    copy_due()
    spoken.refresh_from_db()
    link = spoken.link_to_stored_transcript()
    assert "Hello" in requests.get(link, timeout=10).text
    settings.ARCHIVE_STORAGE_DELETE = True
    spoken.delete_stored()
    with raises("archive_not_stored"):
        spoken.link_to_stored_transcript()
