"""The groups of staff that a new server has."""

import re
import sqlite3
import uuid
from contextlib import closing
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client

from archives.admin import ArchiveAdmin
from archives.models import Archive
from live.console import RoomConsoleAdmin
from live.people import DEEDS
from rooms.models import Room

migration = import_module("live.migrations.0002_groups")
bans = import_module("live.migrations.0003_moderators_ban")
holds = import_module("live.migrations.0004_hold_recordings")
MANAGERS = [*migration.MANAGERS, "archives.hold_archive"]
GROUPS = migration.GROUPS | {
    "Moderators": [*migration.MODERATORS, *bans.BANS],
    "Managers": MANAGERS,
}


def make_groups():
    migration.make_groups(apps, connection.schema_editor())
    bans.let_moderators_ban(apps, connection.schema_editor())
    holds.let_those_hold_who_may_delete(apps, connection.schema_editor())


@pytest.fixture
def groups(db):
    """As on a server that was just set up."""
    Group.objects.all().delete()
    make_groups()


def labels_of(group):
    found = Group.objects.get(name=group).permissions
    return {".".join(each) for each in found.values_list("content_type__app_label", "codename")}


def member(group):
    user = User.objects.create_user(group.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def test_a_new_server_has_three_groups(migrated):
    query = (
        "SELECT g.name, p.codename, p.name FROM auth_group g"
        " JOIN auth_group_permissions gp ON gp.group_id = g.id"
        " JOIN auth_permission p ON p.id = gp.permission_id"
    )
    with closing(sqlite3.connect(migrated)) as database:
        found = database.execute(query).fetchall()
        every = database.execute("SELECT count(*) FROM auth_permission").fetchone()[0]
        different = "SELECT count(DISTINCT content_type_id || codename) FROM auth_permission"
        assert database.execute(different).fetchone()[0] == every
    for name, permissions in GROUPS.items():
        codenames = {label.partition(".")[2] for label in permissions}
        assert {codename for group, codename, _ in found if group == name} == codenames
    # As Django would have called them.
    assert ("Viewers", "view_closedname", "Can view closed name") in found


def test_missing_permissions_are_made_with_their_content_types(db):
    Group.objects.all().delete()
    ContentType.objects.filter(app_label="rooms").delete()
    ContentType.objects.clear_cache()
    make_groups()
    assert labels_of("Managers") == set(MANAGERS)


def test_every_permission_is_one_that_django_makes(groups):
    for permission in Permission.objects.filter(group__name="Managers"):
        model = permission.content_type.model_class()
        action = permission.codename.partition("_")[0]
        assert permission.name == f"Can {action} {model._meta.verbose_name_raw}"


def test_a_group_that_is_there_already_stays_as_it_is(db):
    Group.objects.all().delete()
    own = Group.objects.create(name="Managers")
    make_groups()
    assert own.permissions.count() == 0
    assert Group.objects.count() == 3
    moderators = Group.objects.get(name="Moderators")
    moderators.permissions.remove(Permission.objects.get(codename="delete_ban"))
    make_groups()
    bans.stop_moderators_from_banning(apps, connection.schema_editor())
    assert labels_of("Moderators") == {*migration.MODERATORS, "rooms.add_ban"}
    viewers = Group.objects.get(name="Viewers")
    viewers.permissions.clear()
    make_groups()
    assert viewers.permissions.count() == 0


def test_moderators_may_ban_and_on_the_way_back_may_not(groups):
    assert labels_of("Moderators") == set(GROUPS["Moderators"])
    bans.stop_moderators_from_banning(apps, connection.schema_editor())
    assert labels_of("Moderators") == set(migration.MODERATORS)


def test_whoever_could_hold_recordings_by_deleting_them_still_may(groups):
    own = Group.objects.create(name="Archivists")
    ada = User.objects.create_user("ada", is_staff=True)
    Permission.objects.filter(codename="hold_archive").delete()
    for held in own.permissions, ada.user_permissions:
        held.add(Permission.objects.get(codename="delete_archive"))
    holds.let_those_hold_who_may_delete(apps, connection.schema_editor())
    assert labels_of("Archivists") == {"archives.delete_archive", "archives.hold_archive"}
    assert ada.has_perm("archives.hold_archive")
    assert labels_of("Moderators") == set(GROUPS["Moderators"])


@pytest.mark.parametrize(
    ("group", "may"), [("Viewers", ""), ("Moderators", "change"), ("Managers", "change delete add")]
)
def test_each_group_may_do_more_than_the_one_before(groups, group, may):
    room = Room.objects.create(name="lobby", session_id="1_x")
    client, rooms = member(group), "/admin/rooms/room/"
    for page in (rooms, f"{rooms}{room.pk}/change/", "/admin/archives/archive/",
                 "/admin/live/activity/", "/admin/rooms/closedname/"):  # fmt: skip
        assert client.get(page).status_code == 200, page
    for page in "/admin/access/apikey/", "/admin/auth/user/", "/admin/auth/group/":
        assert client.get(page).status_code == 403, page
    acted = client.post(f"{rooms}{room.pk}/act/revoke_invitations/")
    assert acted.status_code == (302 if "change" in may else 403)
    assert client.get(f"{rooms}add/").status_code == (200 if "add" in may else 403)
    deletion = client.get(f"{rooms}{room.pk}/delete/")
    assert deletion.status_code == (200 if "delete" in may else 403)


# Each act on a room's page and a recording's, and the first group that may do it.
ROOM_ACTS = dict.fromkeys(RoomConsoleAdmin.page_actions, "Moderators")
RECORDING_ACTS = {"share": "Moderators", "revoke_shares": "Moderators", "stop": "Moderators",
                  "hold": "Managers", "release": "Managers", "remove": "Managers"}  # fmt: skip
PEOPLE_ACTS = dict.fromkeys(DEEDS, "Moderators")
RANKS = list(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_each_act_of_a_page_is_done_for_the_groups_that_may_and_offered_to_them(groups, group):
    room = Room.objects.create(name="lobby", session_id="1_x")
    made = {"room": room, "session_id": "1_x", "created_at": room.created_at}
    archive = Archive.objects.create(pk=uuid.uuid4(), status="available", **made)
    client = member(group)
    pages = {
        f"/admin/rooms/room/{room.pk}/": ROOM_ACTS,
        f"/admin/archives/archive/{archive.pk}/": RECORDING_ACTS,
    }
    for page, acts in pages.items():
        shown = client.get(f"{page}change/").content.decode()
        refused = {name for name in acts if client.post(f"{page}act/{name}/").status_code == 403}
        assert refused == {name for name, first in acts.items() if is_before(group, first)}
        assert not refused & set(re.findall(r"/act/(\w+)/", shown))
    assert set(RECORDING_ACTS) == set(ArchiveAdmin.page_actions)
    shown = client.get(f"/admin/rooms/room/{room.pk}/change/").content.decode()
    allowed = {
        what
        for what in PEOPLE_ACTS
        if client.post(f"/admin/rooms/room/{room.pk}/people/{what}/x/").status_code != 403
    }
    assert allowed == {what for what, first in PEOPLE_ACTS.items() if not is_before(group, first)}
    assert set(re.search('data-deeds="([^"]*)"', shown)[1].split()) == allowed
    assert ("console-send" in shown) == ("signal" in allowed)


def is_before(group, first):
    return RANKS.index(group) < RANKS.index(first)


def test_each_permission_alone_lets_its_acts_be_done_and_no_others(db):
    """With the right to look, and one of those that acts take."""
    room = Room.objects.create(name="lobby", session_id="1_x")
    acts = {f"act/{name}/": getattr(RoomConsoleAdmin, name).permission for name in ROOM_ACTS}
    acts |= {f"people/{what}/x/": permission for what, permission in DEEDS.items()}
    for label in {*acts.values()}:
        user = User.objects.create_user(label, is_staff=True)
        codenames = ["view_room", label.partition(".")[2]]
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        for path, permission in acts.items():
            answer = client.post(f"/admin/rooms/room/{room.pk}/{path}")
            assert (answer.status_code == 403) == (permission != label), (label, path)
