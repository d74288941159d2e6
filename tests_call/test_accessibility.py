"""Pages that people open have no fault that axe can find."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from tests.test_groups import make_groups
from tests_call.rooms import room_with
from tests_call.sdk import HERE, install

pytestmark = pytest.mark.django_db(transaction=True)

# One of each kind of look: what is found in either hardly depends on both.
LOOKS = {"1280 px, light": (1280, "light"), "390 px, dark": (390, "dark")}
RUN = "() => axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"
OWN_PAGES = ["", "deletions/", "person/", "auth/user/time-zone/"]
PUBLIC = [
    "/",
    "/join/standup",
    "/readme",
    "/readme/docs/access.md",
    "/archive/{}/view",
    "/admin/login/",
]


@pytest.fixture
def pending(server, emulator):
    """The id of a recording that runs, in a database with a row of each model that the admin shows."""
    from access.models import ApiKey
    from archives.models import Archive
    from audit.models import Entry
    from live.models import Activity
    from meetings.models import Meeting
    from rooms.closed_names import ClosedName
    from webhooks.endpoints import Endpoint

    now = timezone.now()
    make_groups()
    room = room_with(server, "standup", notes="Ask Ada.")
    emulator.publish(room.session_id)
    recorded = server.post("/archive/start", json={"sessionId": room.session_id}).json()["id"]
    of_room = {"room": room, "room_name": room.name, "session_id": room.session_id}
    Archive.objects.create(id=uuid.uuid4(), status="available", updated_at=now, size=9, **of_room)
    Archive.objects.create(id=uuid.uuid4(), status="failed", reason="no media", **of_room)
    Activity.objects.create(
        id=uuid.uuid4(),
        kind="broadcast",
        status="started",
        ends_at=now + timedelta(hours=1),
        **of_room,
    )
    meeting = Meeting.objects.create(session_id="1_x", room_name=room.name, started_at=now)
    meeting.connections.create(pk=str(uuid.uuid4()), data='{"name": "Ben"}', connected_at=now)
    ClosedName.objects.close(["hall"])
    Entry.objects.record("room.made", room)
    ApiKey(name="a program", capabilities=["join"]).issue()
    endpoint = Endpoint(url="https://example.com/hook", events=["*"])
    endpoint.add()
    endpoint.deliveries.create(event="room.created", room_name="standup", payload="{}")
    LogEntry.objects.create(
        user=User.objects.create_user("bo"), action_flag=1, object_repr="x",
        content_type=ContentType.objects.get_for_model(Group),
    )  # fmt: skip
    return recorded


def pages(browse):
    """The addresses of the admin's lists, of their forms for new rows, and of a row of each."""
    for model in admin.site._registry:
        path = f"{model._meta.app_label}/{model._meta.model_name}/"
        yield path
        if browse(f"{path}add/") == 200:
            yield f"{path}add/"
        if row := model._default_manager.first():
            yield f"{path}{row.pk}/change/"


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_page(staff, server, pending, look):
    install()
    axe = (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text()
    width, scheme = LOOKS[look]
    page = staff.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)

    def status(path):
        return page.request.get(f"{server.url}/admin/{path}", max_redirects=0).status

    own = [f"/admin/{path}" for path in [*OWN_PAGES, *pages(status)]]
    found = {}
    for path in [*own, *(each.format(pending) for each in PUBLIC)]:
        assert page.goto(server.url + path).status == 200, path
        page.evaluate(axe)
        if violations := page.evaluate(RUN):
            found[path] = violations
    assert found == {}
