"""The groups of staff that a new server has."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client

from rooms.models import Room

migration = import_module("live.migrations.0002_groups")


def make_groups():
    migration.make_groups(apps, connection.schema_editor())


@pytest.fixture
def groups(db):
    """As on a server that was just set up."""
    Group.objects.all().delete()
    make_groups()


def member(group):
    user = User.objects.create_user(group.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def test_a_new_server_has_three_groups(tmp_path):
    path = tmp_path / "new.sqlite3"
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, env=os.environ | {"DATABASE_URL": f"sqlite:///{path}"}, check=True)
    query = (
        "SELECT g.name, p.codename, p.name FROM auth_group g"
        " JOIN auth_group_permissions gp ON gp.group_id = g.id"
        " JOIN auth_permission p ON p.id = gp.permission_id"
    )
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(query).fetchall()
        every = database.execute("SELECT count(*) FROM auth_permission").fetchone()[0]
        different = "SELECT count(DISTINCT content_type_id || codename) FROM auth_permission"
        assert database.execute(different).fetchone()[0] == every
    for name, permissions in migration.GROUPS.items():
        codenames = {label.partition(".")[2] for label in permissions}
        assert {codename for group, codename, _ in found if group == name} == codenames
    # As Django would have called them.
    assert ("Viewers", "view_closedname", "Can view closed name") in found


def test_missing_permissions_are_made_with_their_content_types(db):
    Group.objects.all().delete()
    ContentType.objects.filter(app_label="rooms").delete()
    ContentType.objects.clear_cache()
    make_groups()
    labels = Group.objects.get(name="Managers").permissions.values_list(
        "content_type__app_label", "codename"
    )
    assert {".".join(label) for label in labels} == set(migration.MANAGERS)


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
    viewers = Group.objects.get(name="Viewers")
    viewers.permissions.clear()
    make_groups()
    assert viewers.permissions.count() == 0


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
