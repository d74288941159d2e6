"""What is kept how long: nothing that should go stays, and nothing that should stay goes."""

import base64
import re
import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from archives import retention
from archives.models import Archive
from archives.retention import due
from archives.states import Status
from audit.models import Entry
from config.environment import Storage as Address
from meetings.models import Connection, Meeting
from ops.deletions import DeletedSoon
from ops.retention import KEPT, RULES, Rule, forget_old
from rooms.models import Ban, Room
from tests.api_client import Program, refusal
from tests.plans import forbid
from tests.server_process import ROOT
from tests.test_admin_actions import staff
from tests.test_contract_views import started
from video import values

pytestmark = pytest.mark.django_db

# Which says that its project is 999.
OF_ANOTHER_PROJECT = "1_" + base64.urlsafe_b64encode(b"1~999~~1~abc~").decode().rstrip("=")
ARCHIVES = "/admin/archives/archive/"
STORAGE = Address("s3", "recordings")


def ago(days):
    return timezone.now() - timedelta(days=days)


def recording(days, room=None, status=Status.AVAILABLE, **fields):
    return Archive.objects.create(
        id=uuid.uuid4(), session_id="1_x", status=status, room=room, created_at=ago(days), **fields
    )


def left():
    return set(Archive.objects.values_list("pk", flat=True))


# The table


def test_the_documentation_has_the_same_rows():
    text = (ROOT / "docs" / "operations.md").read_text()
    table = text.partition("## What is kept how long")[2].partition("\n\nRooms with")[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)
    assert rows[1:] == [rule.what for rule in RULES]


def test_each_model_is_in_the_table_or_stays_for_a_reason():
    own = {
        model._meta.label
        for model in apps.get_models()
        if (ROOT / model._meta.app_config.name).is_dir()
    }
    deleted = {rule.model._meta.label for rule in RULES}
    assert own <= deleted | KEPT.keys()
    assert deleted & KEPT.keys() == set()
    assert KEPT.keys() <= own


def test_years_pass_and_what_should_stay_stays(settings):
    room = Room.objects.create(name="standup", session_id="1_x", created_at=ago(5000))
    _, new = (Meeting.objects.create(session_id="1_x", started_at=ago(days), ended_at=ago(days))
                for days in (1100, 40))  # fmt: skip
    running = Meeting.objects.create(session_id="1_x", started_at=ago(1100))
    for meeting in (new, running):
        Connection.objects.create(pk=str(meeting.pk), meeting=meeting, connected_at=ago(40))
    _, for_good = (Ban.objects.create(room=room, identity=str(meeting), meeting=meeting)
                       for meeting in (new, None))  # fmt: skip
    recording(1100, status=Status.DELETED)
    recent = recording(1000, status=Status.DELETED)
    # Their ends were never heard of, and no file of theirs can be left.
    recording(1100)
    recording(1100, status=Status.STARTED)
    kept = recording(1100, status=Status.EXPIRED, stored_at=ago(1000))
    uploaded = recording(1100, status=Status.UPLOADED)
    held = recording(1100, status=Status.EXPIRED, held_at=ago(1100))
    Entry.objects.note("room.made", room)
    QuerySet(Entry).update(at=ago(400))  # whose own changes nothing
    forget_old()
    assert set(Meeting.objects.all()) == {new, running}
    assert [each.meeting for each in Connection.objects.all()] == [running]
    assert list(Ban.objects.all()) == [for_good]
    assert left() == {recent.pk, kept.pk, uploaded.pk, held.pk}
    assert not Entry.objects.exists()
    assert Room.objects.exists()
    settings.HISTORY_DAYS = 0
    recent.created_at = ago(9000)
    recent.save()
    forget_old()
    assert recent.pk in left()


def test_a_recording_that_has_its_file_is_not_forgotten(settings):
    settings.HISTORY_DAYS = 1
    row = recording(2)
    forget_old()
    assert left() == {row.pk}


def test_a_dry_run_counts_and_deletes_nothing(capsys):
    recording(1100, status=Status.FAILED)
    call_command("retention", dry_run=True)
    assert "         1 recordings whose file is gone" in capsys.readouterr().out
    assert Archive.objects.count() == 1
    call_command("retention")
    assert not Archive.objects.exists()


# Files


def test_a_rooms_own_days_come_before_those_of_all_and_a_hold_before_both(settings):
    short = Room.objects.create(name="short", session_id="1_s", recording_days=2)
    long = Room.objects.create(name="long", session_id="1_l", recording_days=90)
    plain = Room.objects.create(name="plain", session_id="1_p")
    rows = [recording(3, short), recording(40, long), recording(40, plain), recording(40)]
    recording(40, status=Status.STARTED)
    held = recording(40, held_at=timezone.now())
    assert set(due(ago(0))) == {rows[0]}
    settings.ARCHIVE_DAYS = 30
    assert set(due(ago(0))) == {rows[0], rows[2], rows[3]}
    assert held not in due(ago(-9999))
    assert set(due(ago(-60))) == set(rows)


def test_the_days_of_a_deleted_room_stay_with_its_recordings(settings):
    short = Room.objects.create(name="short", session_id="1_s", recording_days=2)
    long = Room.objects.create(name="long", session_id="1_l", recording_days=90)
    plain = Room.objects.create(name="plain", session_id="1_p")
    rows = [recording(3, short), recording(40, long), recording(40, plain)]
    Room.objects.remove([short, long, plain])
    assert set(due(ago(0))) == {rows[0]}
    settings.ARCHIVE_DAYS = 30
    assert set(due(ago(0))) == {rows[0], rows[2]}
    assert set(due(ago(-60))) == set(rows)


def test_any_number_of_rooms_may_have_days_of_their_own():
    Room.objects.bulk_create(
        Room(name=f"room {number}", session_id=f"1_{number}", recording_days=30)
        for number in range(1500)
    )
    old = recording(40, Room.objects.first())
    assert list(due(ago(0))) == [old]


def test_a_rule_that_fails_keeps_no_other_from_its_work(monkeypatch, caplog):
    broken = Rule("what fails", Archive, lambda at: 1 / 0)
    monkeypatch.setattr("ops.retention.RULES", [broken, *RULES])
    recording(1100, status=Status.FAILED)
    forget_old()
    assert not Archive.objects.exists()
    assert "what fails" in caplog.text


def test_a_file_that_may_not_be_deleted_keeps_no_other(program, opentok, settings):
    settings.ARCHIVE_DAYS = 1
    recording(40, status=Status.EXPIRED, stored_at=ago(39))
    recording(30)  # of which OpenTok does not know
    session_id = program.post("rooms", name="lab").json()["sessionId"]
    opentok.publish(session_id)
    archive_id = program.post("archives", room="lab").json()["id"]
    program.post(f"archives/{archive_id}/stop")
    opentok.advance(60)
    program.get(f"archives/{archive_id}")
    Archive.objects.filter(pk=archive_id).update(created_at=ago(2))
    call_command("retention")
    assert Archive.objects.get(pk=archive_id).status == "deleted"


def test_files_that_cannot_be_deleted_take_no_rounds_from_newer_ones(settings, monkeypatch):
    settings.ARCHIVE_DAYS = 7
    monkeypatch.setattr(retention, "MOST", 2)
    monkeypatch.setattr(retention, "_last_tried", None)
    tried = []
    monkeypatch.setattr(retention, "_delete", tried.append)
    rows = [recording(40 - number) for number in range(5)]
    for _ in range(4):
        retention.delete_due()
    assert tried == [str(row.pk) for row in [*rows, *rows[:3]]]


def test_a_file_that_another_process_deletes_meanwhile_is_left_to_it(settings, monkeypatch):
    settings.ARCHIVE_DAYS = 7
    monkeypatch.setattr(retention, "_last_tried", None)
    tried = []

    def delete(archive_id):
        tried.append(archive_id)
        Archive.objects.filter(pk=rows[1].pk).update(status=Status.DELETED)
        Archive.objects.filter(pk=rows[2].pk).update(deleting_at=timezone.now())

    monkeypatch.setattr(retention, "_delete", delete)
    rows = [recording(40 - number) for number in range(4)]
    retention.delete_due()
    assert tried == [str(rows[0].pk), str(rows[3].pk)]


def test_a_file_of_another_project_is_deleted_in_the_own_storage_alone(settings, monkeypatch):
    settings.ARCHIVE_DAYS = 7
    monkeypatch.setattr(retention, "_last_tried", None)
    tried = []
    monkeypatch.setattr(retention, "_delete", tried.append)
    rows = [recording(40), recording(39, stored_at=ago(39)), recording(38, status=Status.UPLOADED)]
    Archive.objects.update(session_id=OF_ANOTHER_PROJECT)
    retention.delete_due()
    assert tried == []
    settings.ARCHIVE_STORAGE, settings.ARCHIVE_STORAGE_DELETE = STORAGE, True
    retention.delete_due()
    assert tried == [str(row.pk) for row in rows[1:]]


def test_a_rule_leaves_the_own_storage_alone_unless_it_is_told_to_delete_there(settings):
    settings.ARCHIVE_DAYS, settings.ARCHIVE_STORAGE = 7, STORAGE
    unstored = recording(40)
    short = Room.objects.create(name="short", session_id="1_s", recording_days=1)
    stored = [
        recording(40, stored_at=ago(39)),
        recording(2, short, stored_at=ago(2)),
        recording(40, status=Status.UPLOADED),
        recording(40, status=Status.UPLOADED, stored_at=ago(39)),
        recording(40, status=Status.EXPIRED, stored_at=ago(39)),
    ]
    assert set(due(ago(0))) == {unstored}
    settings.ARCHIVE_STORAGE_DELETE = True
    assert set(due(ago(0))) == {unstored, *stored}


def test_old_files_are_deleted_at_opentok_by_the_server(program, opentok):
    session_id = program.post("rooms", name="lab", recordingDays=1).json()["sessionId"]
    opentok.publish(session_id)
    archive_id = program.post("archives", room="lab").json()["id"]
    program.post(f"archives/{archive_id}/stop")
    opentok.advance(60)
    program.get(f"archives/{archive_id}")
    call_command("retention")
    assert Archive.objects.get().status == "available"
    Archive.objects.update(created_at=ago(2))
    opentok.fault(status=500, times=9)
    call_command("retention")
    assert Archive.objects.get().status == "available"
    opentok.control("DELETE", "/faults")
    call_command("retention")
    assert Archive.objects.get().status == "deleted"
    assert refusal(program.get(f"archives/{archive_id}")) == (410, "archive_deleted")
    assert Entry.objects.get(what="recording.deleted").actor_kind == "server"


def test_nobody_deletes_what_is_on_hold(admin_client, program):
    row = recording(1)
    page = f"{ARCHIVES}{row.pk}/"
    assert "Put on hold" in admin_client.get(f"{page}change/").content.decode()
    admin_client.post(f"{page}act/hold/")
    shown = admin_client.get(f"{page}change/").content.decode()
    assert "End the hold" in shown
    assert "On hold since" in shown
    assert "Delete the file" not in shown
    assert refusal(program.delete(f"archives/{row.pk}")) == (409, "archive_held")
    admin_client.post(f"{page}act/release/")
    assert Archive.objects.get().held_at is None
    assert acts() == [("recording.held", "staff"), ("recording.released", "staff")]


def test_holding_takes_a_permission_of_its_own():
    row = recording(1)
    page = f"{ARCHIVES}{row.pk}/act/"
    browser = staff("view_archive", "change_archive", "delete_archive")
    assert browser.post(f"{page}hold/").status_code == 403
    assert browser.post(f"{page}release/").status_code == 403
    user = User.objects.get()
    user.user_permissions.add(Permission.objects.get(codename="hold_archive"))
    assert browser.post(f"{page}hold/").status_code == 302
    assert Archive.objects.get().held_at


def acts():
    found = Entry.objects.filter(what__startswith="recording.").order_by("id")
    return [(each.what, each.actor_kind) for each in found]


def test_a_program_holds_a_recording_and_releases_it(program):
    row = recording(1)
    hold = f"archives/{row.pk}/hold"
    assert program.post(hold).status_code == 204
    held_at = Archive.objects.get().held_at
    (told,) = program.get("archives").json()["items"]
    assert told["heldAt"] == values.milliseconds(held_at)
    assert program.post(hold).status_code == 204  # again changes nothing
    assert Archive.objects.get().held_at == held_at
    assert refusal(program.delete(f"archives/{row.pk}")) == (409, "archive_held")
    assert program.delete(hold).status_code == 204
    assert program.delete(hold).status_code == 204
    (told,) = program.get("archives").json()["items"]
    assert told["heldAt"] is None
    assert acts() == [("recording.held", "key"), ("recording.released", "key")]


def test_a_recording_that_was_never_heard_of_is_held_as_well(program, server, opentok):
    archive_id = started(server, opentok).removeprefix("/archive/")
    Archive.objects.all().delete()
    assert program.post(f"archives/{archive_id}/hold").status_code == 204
    assert Archive.objects.get().held_at


def test_what_has_no_file_and_what_there_is_not_cannot_be_held(program):
    for status in (Status.DELETED, Status.FAILED, Status.EXPIRED):
        row = recording(1, status=status)
        assert refusal(program.post(f"archives/{row.pk}/hold")) == (409, "archive_not_holdable")
    unknown = uuid.uuid4()
    assert refusal(program.post(f"archives/{unknown}/hold")) == (404, "archive_not_found")
    assert refusal(program.delete(f"archives/{unknown}/hold")) == (404, "archive_not_found")
    assert acts() == []


def test_a_key_for_some_rooms_holds_nothing_of_others(server):
    room = Room.objects.create(name="lab", session_id="1_x")
    row = recording(1, room)
    school = Program(server, rooms="school ")
    assert refusal(school.post(f"archives/{row.pk}/hold")) == (403, "room_not_covered")
    assert refusal(school.delete(f"archives/{row.pk}/hold")) == (403, "room_not_covered")
    reader = Program(server, can="list,view,record")
    assert refusal(reader.post(f"archives/{row.pk}/hold")) == (403, "capability_missing")


def test_the_list_of_recordings_shows_what_is_on_hold(admin_client):
    recording(1)
    held = recording(1, held_at=timezone.now())
    page = admin_client.get(ARCHIVES, {"on_hold": "yes"})
    assert list(page.context["cl"].result_list) == [held]
    assert '<span class="state held">on hold</span>' in page.content.decode()


def test_recordings_on_hold_are_read_from_an_index_in_the_order_of_the_list(db):
    forbid("seqscan", "bitmapscan")
    plan = Archive.objects.filter(held_at__isnull=False)[:50].explain()
    assert "archive_held_created" in plan
    assert "sort" not in plan.lower()
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("model", [Room, Archive])
def test_the_days_of_rooms_are_read_from_an_index_alone(db, model):
    forbid("seqscan")
    assert f"{model._meta.model_name}_recording_days" in retention._chosen(model).explain()


# What goes when


def deletions(client):
    """The cells of the page's rows, by what they are of."""
    page = client.get("/admin/deletions/")
    assert page.status_code == 200
    found = {what: [each.rows for each in amounts] for what, amounts in page.context["rules"]}
    return found, page


def test_a_page_tells_what_goes_when_and_leads_to_it(admin_client, settings):
    settings.ARCHIVE_DAYS = 30
    soon, later = recording(25, size=3 * 2**20), recording(10, size=2**20)
    gone = recording(settings.HISTORY_DAYS - 5, status=Status.DELETED)
    recording(40, held_at=timezone.now(), size=2**30)
    old = Meeting.objects.create(session_id="1_x", started_at=ago(1100), ended_at=ago(1100))
    Meeting.objects.create(session_id="1_y", started_at=ago(1090), ended_at=ago(1090))
    Entry.objects.note("room.made")
    QuerySet(Entry).filter(what="room.made").update(at=ago(360))
    found, page = deletions(admin_client)
    assert list(found) == [rule.what for rule in RULES]
    assert found["files of recordings"] == ["0", "0", "1", "2"]
    assert found["recordings whose file is gone"] == ["0", "0", "1", "1"]
    assert found["meetings"] == ["1", "1", "2", "2"]
    assert found["audit log"] == ["0", "0", "1", "1"]
    assert found["jobs"] == ["0"] * 4
    assert "4.0\xa0MB" in page.content.decode()
    assert "1.0\xa0GB: no rule deletes them" in page.content.decode()
    rules = dict(page.context["rules"])
    for what, number, rows in (
        ("files of recordings", 2, {soon}),
        ("files of recordings", 3, {soon, later}),
        ("recordings whose file is gone", 3, {gone}),
        ("meetings", 0, {old}),
        ("audit log", 2, {Entry.objects.get(what="room.made")}),
    ):
        listed = admin_client.get(rules[what][number].link)
        assert set(listed.context["cl"].result_list) == rows
    assert admin_client.get(page.context["held"].link).context["cl"].result_count == 1


def test_each_list_that_has_a_rule_opens_with_each_choice_of_its_filter(admin_client):
    for rule in RULES:
        if admin.site.is_registered(rule.model):
            path = reverse(f"admin:{rule.model._meta.label_lower.replace('.', '_')}_changelist")
            choices = DeletedSoon(None, {}, rule.model, admin.site.get_model_admin(rule.model))
            for value, _ in choices.lookup_choices:
                assert admin_client.get(path, {"deleted_within": value}).status_code == 200, path


def test_no_more_is_counted_than_a_bound(admin_client, settings, monkeypatch):
    settings.ARCHIVE_DAYS = 1
    monkeypatch.setattr("ops.deletions.MOST_COUNTED", 2)
    for _ in range(4):
        recording(2, size=2**20)
    found, page = deletions(admin_client)
    assert found["files of recordings"] == ["2+"] * 4
    assert "3.0\xa0MB+" in page.content.decode()


def test_the_page_and_the_dry_run_count_the_same(admin_client, capsys):
    recording(1100, status=Status.FAILED)
    Meeting.objects.create(session_id="1_x", started_at=ago(1100), ended_at=ago(1100))
    call_command("retention", dry_run=True)
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    found, _ = deletions(admin_client)
    assert {what: rows[0] for what, rows in found.items()} == {what: n for n, what in lines}


def test_the_page_shows_what_somebody_may_view_and_nothing_of_all_rooms_to_others():
    browser = staff("view_archive", "view_meeting")
    found, _ = deletions(browser)
    assert list(found) == ["files of recordings", "recordings whose file is gone", "meetings"]
    assert "What is deleted when" in browser.get("/admin/").content.decode()
    user = User.objects.get()
    user.user_permissions.add(Permission.objects.get(codename="only_own_rooms"))
    assert browser.get("/admin/deletions/").status_code == 403
    assert "What is deleted when" not in browser.get("/admin/").content.decode()


def test_the_list_shows_what_goes_soon(admin_client, settings):
    settings.ARCHIVE_DAYS = 30
    soon, later = recording(25), recording(10)
    for days, found in (("1", set()), ("7", {soon.pk}), ("30", {soon.pk, later.pk}), ("x", left())):
        page = admin_client.get(ARCHIVES, {"deleted_within": days}, follow=True)
        assert {row.pk for row in page.context["cl"].result_list} == found
