"""Who did what: each act leaves an entry, which names who acted and holds no secret."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from access.models import ApiKey
from audit.models import EntriesStay, Entry
from live.deadlines import meet_deadlines
from live.models import Activity
from meetings.models import Meeting
from ops.worker import tidy
from rooms.closed_names import ClosedName
from rooms.guests import Guest, id_of
from rooms.models import Room
from staff import second_factors
from staff.models import SecondFactor
from tests.api_client import Program
from tests.test_api_meetings import eventually
from tests.test_room_policies import form
from video import tokens
from webhooks.models import Delivery

ROOMS = "/admin/rooms/room/"
ANNA = '{"name": "Anna", "identity": "user-1"}'

# What each action that changes something is recorded as.
RECORDED = {
    "archives.views.ArchiveViewSet": {"start": "recording.started", "stop": "recording.stopped"},
    "live.samples.captions.CaptionsViewSet": {"start": "captions.started", "stop": "captions.stopped"},
    "live.samples.audio_connectors.AudioConnectorViewSet": {
        "connect": "audio_connector.started", "disconnect": "audio_connector.stopped",
    },
    "live.samples.renders.RenderViewSet": {"start": "render.started", "stop": "render.stopped"},
    "live.samples.broadcasts.BroadcastViewSet": {
        "start": "broadcast.started", "stop": "broadcast.stopped",
    },
    "live.samples.calls.CallViewSet": {"dial": "call.started", "hangup": "call.stopped"},
    "api.room_views.RoomViewSet": {
        "create": "room.made", "partial_update": "room.changed", "destroy": "room.deleted",
        "new_session": "session.renewed", "new_token": "token.made",
    },
    "api.invitation_views.InvitationViewSet": {
        "create": "invitation.made", "destroy": "invitations.revoked",
    },
    "api.guest_views.GuestViewSet": {"partial_update": "guest.admitted"},
    "api.session_views.ConnectionViewSet": {"destroy": "person.removed"},
    "api.meeting_views.BanViewSet": {"create": "ban.made", "destroy": "ban.lifted"},
    "api.session_views.StreamViewSet": {"lay_out": "streams.laid_out", "mute": "person.muted"},
    "api.session_views.EverybodyViewSet": {
        "mute": "everybody.muted", "unmute": "everybody.unmuted", "signal": "signal.sent",
    },
    "api.live_views.StopViewSet": {"stop": "everything.stopped"},
    "api.live_views.BroadcastViewSet": {
        "create": "broadcast.started", "stop": "broadcast.stopped",
        "lay_out": "broadcast.laid_out", "add_stream": "broadcast.stream_added",
        "remove_stream": "broadcast.stream_removed",
    },
    "api.live_views.CaptionsViewSet": {"create": "captions.started", "stop": "captions.stopped"},
    "api.live_views.RenderViewSet": {"create": "render.started", "stop": "render.stopped"},
    "api.live_views.CallViewSet": {
        "create": "call.started", "stop": "call.stopped", "digits": "call.digits_played",
    },
    "api.live_views.AudioConnectorViewSet": {
        "create": "audio_connector.started", "stop": "audio_connector.stopped",
    },
    "api.archive_views.ArchiveViewSet": {
        "create": "recording.started", "stop": "recording.stopped",
        "lay_out": "recording.laid_out", "add_stream": "recording.stream_added",
        "remove_stream": "recording.stream_removed", "destroy": "recording.deleted",
        "share": "recording.shared", "unshare": "recording.links_revoked",
        "hold": "recording.held", "release": "recording.released",
    },
    "api.webhook_views.WebhookViewSet": {
        "create": "webhook.made", "partial_update": "webhook.changed",
        "destroy": "webhook.deleted", "new_secret": "webhook.secret_renewed",
        "redeliver": "webhook.sent_again", "ping": "webhook.pinged",
    },
    "webhooks.admin.EndpointAdmin": {
        "renew_secret": "webhook.secret_renewed", "send_failed_again": "webhook.sent_again",
        "ping": "webhook.pinged",
    },
    "webhooks.admin.DeliveryAdmin": {"send_again": "webhook.sent_again"},
    "live.console.RoomConsoleAdmin": {
        "invite_moderator": "invitation.made", "invite_guest": "invitation.made",
        "revoke_invitations": "invitations.revoked", "start_recording": "recording.started",
        "mute_all": "everybody.muted", "start_muting": "everybody.muted",
        "stop_muting": "everybody.unmuted", "stop_everything": "everything.stopped",
        "close_room": "room.closed", "stop_recording": "recording.stopped",
        "start_captions": "captions.started", "stop_captions": "captions.stopped",
        "start_broadcast": "broadcast.started", "stop_broadcast": "broadcast.stopped",
        "renew_session": "session.renewed", "new_session": "session.renewed",
        "delete_selected": "room.deleted", "close_selected": "room.closed",
        "open_selected": "room.opened", "set_hours": "room.changed",
    },
    "archives.admin.ArchiveAdmin": {
        "stop": "recording.stopped", "remove": "recording.deleted",
        "share": "recording.shared", "revoke_shares": "recording.links_revoked",
        "hold": "recording.held", "release": "recording.released",
        "stop_selected": "recording.stopped", "remove_selected": "recording.deleted",
    },
    "rooms.admin.ClosedNameAdmin": {"open_again": "name.opened"},
    "access.admin.ApiKeyAdmin": {"revoke": "key.revoked", "revoke_selected": "key.revoked"},
    "staff.admin.UserAdmin": {"remove_second_factor": "second_factor.removed"},
}  # fmt: skip
NOT_RECORDED = {
    # Who waits changes nothing for others; the moderator's answer is recorded.
    "rooms.waiting.WaitingViewSet": {"create", "destroy"},
    # What a job does is recorded, if it has to be.
    "ops.admin.JobAdmin": {"try_again"},
    # They look, and tell a call where to go.
    "live.samples.broadcasts.BroadcastViewSet": {"status"},
    "live.samples.voice.AnswerView": {"post"},
    # What they change is recorded by the state that it has then.
    "live.callbacks.CallbackView": {"post"},
    "live.samples.voice.EventView": {"post", "put"},
    "django.views.generic.base.RedirectView": {"post", "put", "patch", "delete"},
}


def views(patterns):
    """Outside the admin."""
    for pattern in patterns:
        if not hasattr(pattern, "url_patterns"):
            yield pattern.callback
        elif getattr(pattern, "app_name", None) != "admin":
            yield from views(pattern.url_patterns)


def name_of(cls):
    return f"{cls.__module__}.{cls.__name__}"


def changing_actions():
    """Each action of a view that a request other than a GET reaches, and of the admin."""
    for view in views(get_resolver().url_patterns):
        cls = getattr(view, "cls", None) or getattr(view, "view_class", None)
        if cls is None:
            continue
        methods = ("post", "put", "patch", "delete")
        own = {method: method for method in methods if hasattr(cls, method)}
        for method, action in getattr(view, "actions", own).items():
            if method in methods:
                yield name_of(cls), action
    for model_admin in admin.site._registry.values():
        for action in [*getattr(model_admin, "page_actions", []), *(model_admin.actions or [])]:
            yield name_of(type(model_admin)), action


def test_each_action_that_changes_something_is_recorded_or_said_not_to_be():
    known = {(cls, action) for cls, actions in RECORDED.items() for action in actions}
    known |= {(cls, action) for cls, actions in NOT_RECORDED.items() for action in actions}
    assert set(changing_actions()) == known


@pytest.fixture
def ada(transactional_db):
    return User.objects.create_superuser("ada", password="lovelace-1815")


@pytest.fixture
def staff(ada):
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def program(server):
    return Program(server, can="manage,moderate,broadcast,caption,call")


@pytest.fixture
def room(opentok, program):
    program.post("rooms", name="standup")
    room = Room.objects.get()
    opentok.connect(room.session_id)
    return room


def whats(**columns):
    return [entry.what for entry in Entry.objects.filter(**columns).order_by("id")]


def last(what):
    return Entry.objects.filter(what=what).first()


def with_token(server, session_id, **options):
    program = Program(server)
    program.token = tokens.generate_token(session_id, lifetime=600, **options)
    program.headers = {"Authorization": f"Bearer {program.token}"}
    return program


class Everything:
    """Does all that can be recorded, once, and remembers the secrets that it sends and gets."""

    def __init__(self, server, opentok, program, staff, room):
        self.server, self.opentok, self.program, self.staff = server, opentok, program, staff
        self.room, self.entries = room, Entry.objects.count()
        self.secrets = {program.key.text, "lovelace-1815", "sesame-9", "1234#", "s3cret-host"}

    def do(self):
        for part in ("rooms", "people", "recordings", "others", "samples", "admin", "ends"):
            getattr(self, part)()
        return self.secrets

    def ok(self, answer):
        """Of each act; it has left an entry."""
        assert answer.status_code in {200, 201, 202, 204, 302}, answer.text
        before, self.entries = self.entries, Entry.objects.count()
        sent = getattr(answer, "wsgi_request", getattr(answer, "request", None))
        assert sent.method == "GET" or self.entries > before, (sent.method, answer.text)
        return answer

    def post(self, path, **body):
        return self.ok(self.program.post(path, **body)).json()

    def rooms(self):
        program = self.program
        self.ok(program.patch("rooms/standup", accessCode="sesame-9", waitingRoom=True))
        self.secrets.add(Room.objects.get(name="standup").access_code)
        made = self.post("rooms/standup/invitations", role="moderator")
        self.secrets |= {made["invitation"], made["url"]}
        self.secrets.add(self.post("rooms/standup/tokens", role="moderator")["token"])
        code = {"X-Access-Code": "sesame-9"}
        asked = self.server.request("POST", "/waiting/standup", json={"name": "Ben"}, headers=code)
        self.secrets.add(asked.json()["ticket"])
        (guest,) = program.get("rooms/standup/guests").json()["items"]
        self.ok(program.patch(f"rooms/standup/guests/{guest['id']}", admitted=True))
        self.ok(program.patch("rooms/standup", waitingRoom=False))
        self.ok(program.delete("rooms/standup/invitations"))

    def people(self):
        program, session_id = self.program, self.room.session_id
        moderator = with_token(self.server, session_id, role="moderator", data=ANNA)
        self.secrets.add(moderator.token)
        stream = self.opentok.publish(session_id)
        classes = [{"id": stream, "layoutClassList": ["focus"]}]
        self.ok(moderator.put("rooms/standup/streams", items=classes))
        self.ok(moderator.post(f"rooms/standup/streams/{stream}/mute"))
        self.ok(program.post("rooms/standup/mute"))
        self.ok(program.delete("rooms/standup/mute"))
        self.ok(program.post("rooms/standup/signals", data="s3cret-host", type="chat"))
        connection = self.opentok.connect(session_id)
        self.ok(moderator.delete(f"rooms/standup/connections/{connection}"))
        ban = self.post("rooms/standup/bans", identity="user-7")
        self.ok(program.delete(f"rooms/standup/bans/{ban['id']}"))

    def recordings(self):
        program = self.program
        stream = self.opentok.publish(self.room.session_id)
        archive = self.post("archives", room="standup", streamMode="manual")["id"]
        self.ok(program.put(f"archives/{archive}/layout", type="pip"))
        self.ok(program.post(f"archives/{archive}/streams", streamId=stream))
        self.ok(program.delete(f"archives/{archive}/streams/{stream}"))
        self.ok(program.post(f"archives/{archive}/stop"))
        self.opentok.advance(10)
        url = program.get(f"archives/{archive}").json()["url"]
        self.secrets |= {url, url.partition("?")[2]}
        shared = self.ok(program.post(f"archives/{archive}/share", lifetime=600)).json()["url"]
        self.secrets.add(shared.rpartition("/")[2])
        self.ok(program.delete(f"archives/{archive}/share"))
        self.ok(program.delete(f"archives/{archive}"))
        one = self.ok(self.server.post("/archive/start", json={"sessionId": self.room.session_id}))
        self.ok(self.server.post(f"/archive/{one.json()['id']}/stop"))

    def others(self):
        program = self.program
        stream = self.opentok.publish(self.room.session_id)
        rtmp = [{"serverUrl": "rtmp://s3cret-host/app", "streamName": "s3cret-host"}]
        one = self.post(
            "rooms/standup/broadcasts", outputs={"hls": {}, "rtmp": rtmp}, streamMode="manual"
        )["id"]
        self.ok(program.put(f"broadcasts/{one}/layout", type="pip"))
        self.ok(program.post(f"broadcasts/{one}/streams", streamId=stream))
        self.ok(program.delete(f"broadcasts/{one}/streams/{stream}"))
        self.ok(program.post(f"broadcasts/{one}/stop"))
        for path, body in {
            "captions": {},
            "renders": {"url": "https://s3cret-host/?key=1"},
            "calls": {"uri": "sip:s3cret-host@sip.example"},
            "audio-connectors": {"uri": "wss://s3cret-host/audio"},
        }.items():
            one = self.post(f"rooms/standup/{path}", **body)["id"]
            if path == "calls":
                self.ok(program.post(f"calls/{one}/digits", digits="1234#"))
            self.ok(program.post(f"{path}/{one}/stop"))

    def samples(self):
        about = {"sessionId": self.room.session_id}

        def post(path, method="POST", **more):
            headers = self.program.headers
            return self.ok(self.server.request(method, path, json=about | more, headers=headers))

        one = post("/captions/start").json()["id"]
        post(f"/captions/{one}/stop")
        bot = post("/audio-connector/connect", webSocketHost="s3cret-host").json()
        post("/audio-connector/disconnect", connectionId=bot["connectionId"])
        page = post("/render", url="https://s3cret-host/").json()
        post("/render/stop", method="DELETE", id=page["id"])
        post("/broadcast/standup/start")
        post("/broadcast/standup/stop")
        post("/sip/standup/dial")
        post("/sip/standup/hangup")

    def act(self, base, pk, name):
        self.ok(self.staff.post(f"{base}{pk}/act/{name}/"))

    def admin(self):
        pk, staff = self.room.pk, self.staff
        self.console(f"{ROOMS}{pk}/people/")
        for name in ("start_captions", "stop_captions", "start_broadcast", "stop_broadcast"):
            self.act(ROOMS, pk, name)
        for name in ("invite_moderator", "invite_guest", "start_recording"):
            self.act(ROOMS, pk, name)
        recordings = "/admin/archives/archive/"
        archive = last("recording.started").subject_id
        self.act(recordings, archive, "stop")
        self.opentok.advance(10)
        self.ok(self.program.get(f"archives/{archive}"))
        for name in ("share", "revoke_shares", "hold", "release", "remove"):
            self.act(recordings, archive, name)
        page = form(new_code="sesame-9", max_participants="9")
        assert staff.post(f"{ROOMS}{pk}/change/", page).status_code == 302
        for name in ("mute_all", "revoke_invitations", "stop_everything", "close_room"):
            self.act(ROOMS, pk, name)
        rooms = {"_selected_action": [pk], "confirmed": "yes", "post": "yes", "keep_closed": "yes"}
        for name in ("open_selected", "set_hours", "close_selected", "new_session"):
            self.ok(staff.post(ROOMS, rooms | {"action": name, "hours": "Mon 08:00-10:00"}))
        self.secrets |= self.keys_and_users()

    def console(self, base):
        connection = self.opentok.connect(self.room.session_id)
        stream = self.opentok.publish(self.room.session_id)
        guests = [Guest.objects.ask(self.room, name) for name in ("Cai", "Dee")]
        self.secrets |= set(guests)
        for act in (
            f"mute/{stream}",
            f"remove/{connection}",
            f"admit/{id_of(guests[0])}",
            f"refuse/{id_of(guests[1])}",
        ):
            assert "done" in self.ok(self.staff.post(f"{base}{act}/")).json()

    def keys_and_users(self):
        key = {"name": "back office", "capabilities": ["join"]}
        shown = self.ok(self.staff.post("/admin/access/apikey/add/", key)).content.decode()
        one = ApiKey.objects.get(name="back office")
        chosen = {"action": "revoke_selected", "_selected_action": [one.pk], "confirmed": "yes"}
        self.ok(self.staff.post("/admin/access/apikey/", chosen))
        user = {
            "username": "ben",
            "password1": "babbage-1791",
            "password2": "babbage-1791",
            "usable_password": "true",
        }
        self.ok(self.staff.post("/admin/auth/user/add/", user))
        ben, secret = User.objects.get(username="ben"), second_factors.new_secret()
        SecondFactor.objects.switch_on(ben, secret, 0)
        self.act("/admin/auth/user/", ben.pk, "remove_second_factor")
        return {
            "babbage-1791",
            *re.findall(r"otr_\w{51}", shown),
            secret,
            ben.password,
        }

    def webhooks(self):
        made = self.ok(self.program.post("webhooks", url="http://127.0.0.1:9/", events=["*"]))
        path = f"webhooks/{made.json()['id']}"
        renewed = self.ok(self.program.post(f"{path}/secret"))
        self.secrets |= {made.json()["secret"], renewed.json()["secret"]}
        self.ok(self.program.patch(path, active=False))
        self.ok(self.program.post(f"{path}/ping"))
        Delivery.objects.update(state="failed")
        self.ok(self.program.post(f"{path}/redeliver", since="2026-01-01T00:00:00Z"))
        self.ok(self.program.delete(path))

    def ends(self):
        self.webhooks()
        staff = self.staff
        self.post("rooms/standup/stop")
        self.ok(self.program.post("rooms/standup/session"))
        self.ok(self.program.delete("rooms/standup?keepClosed=true"))
        self.post("rooms", name="hall")
        pk = Room.objects.get(name="hall").pk
        chosen = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        self.ok(staff.post(ROOMS, chosen | {"keep_closed": "yes"}))
        name = ClosedName.objects.get(name="hall")
        names = {"action": "open_again", "_selected_action": [name.pk]}
        self.ok(staff.post("/admin/rooms/closedname/", names))


def test_every_act_is_recorded_with_who_did_it_and_nothing_secret(
    server, opentok, program, staff, room
):
    secrets = Everything(server, opentok, program, staff, room).do()
    expected = {what for actions in RECORDED.values() for what in actions.values()}
    assert expected - set(whats()) == set()
    rows = list(Entry.objects.values())
    text = json.dumps(rows, default=str)
    assert [secret for secret in secrets if secret in text] == []
    by_staff = set(whats(actor_kind="staff", actor_name="ada", address="127.0.0.1"))
    assert {what for cls in ("live.console.RoomConsoleAdmin", "archives.admin.ArchiveAdmin",
                             "rooms.admin.ClosedNameAdmin", "access.admin.ApiKeyAdmin")
            for what in RECORDED[cls].values()} <= by_staff  # fmt: skip
    assert {"room.changed", "key.made", "user.added", "password.changed"} <= by_staff
    assert {"streams.laid_out", "person.muted", "person.removed"} == set(
        whats(actor_kind="client", actor_name="Anna")
    )
    anonymous = whats(actor_kind="visitor")
    assert anonymous == ["recording.started", "recording.stopped"]
    assert set(whats(actor_kind="key")) == set(
        whats(actor_id=program.key.prefix, address="127.0.0.1")
    )
    assert {entry["room_name"] for entry in rows if entry["subject_kind"] == "room"} == {
        "standup",
        "hall",
    }


def test_a_changed_policy_is_told_before_and_after_and_of_a_code_that_there_is_one(program, room):
    program.patch("rooms/standup", accessCode="sesame-9", tokenLifetime=600)
    told = last("room.changed").details
    assert told["before"] == {"access_code": False, "token_lifetime": None}
    assert told["after"] == {"access_code": True, "token_lifetime": 600}
    program.patch("rooms/standup", closed=True)
    program.patch("rooms/standup", closed=True)
    program.patch("rooms/standup", closed=False)
    assert whats(what__in=["room.closed", "room.opened"]) == ["room.closed", "room.opened"]


def test_what_fails_at_opentok_is_not_recorded(program, opentok, room):
    before = whats()
    opentok.fault(status=500, times=9)
    assert program.post("archives", room="standup").status_code == 502
    assert program.post("rooms/standup/mute").status_code == 502
    assert program.post("rooms/standup/session").status_code == 502
    assert whats() == before


def test_what_is_sent_again_with_an_idempotency_key_is_recorded_once(program, room):
    program.headers["Idempotency-Key"] = "1"
    for _ in range(2):
        assert program.post("rooms/standup/tokens").status_code == 201
    assert whats(what="token.made") == ["token.made"]


def test_a_room_is_made_by_the_visitor_who_asks_first(server, opentok):
    server.get("/room/quick")
    server.get("/room/quick")
    server.get("/room/slow?e2ee=true")
    made = Entry.objects.filter(what="room.made").order_by("id")
    assert [
        (entry.actor_kind, entry.address, entry.subject_name, entry.details) for entry in made
    ] == [
        ("visitor", "127.0.0.1", "quick", {"e2ee": False}),
        ("visitor", "127.0.0.1", "slow", {"e2ee": True}),
    ]
    assert Entry.objects.count() == 2


def test_the_entry_of_a_new_room_takes_one_query_in_its_transaction(
    opentok, db, django_assert_num_queries
):
    with django_assert_num_queries(1):
        Entry.objects.record("room.made", Room(pk=1, name="standup"), e2ee=False)


def test_states_that_callbacks_tell_are_recorded_once_each(server, opentok, program, room):
    opentok.call_back(f"{server.url}/callbacks", django_settings.CALLBACK_SECRET)
    program.post("archives", room="standup")
    program.post(f"archives/{last('recording.started').subject_id}/stop")
    opentok.advance(10)
    told = opentok.callbacks(attempts=3)
    opentok.send_callback(told[-1]["id"])
    opentok.callbacks(attempts=4)
    told = whats(actor_kind="callback")
    assert told[-1] == "recording.available"
    assert len(set(told)) == len(told)
    assert last("recording.available").room_name == "standup"


def test_what_the_server_does_by_itself_is_its_own(program, opentok, room):
    program.patch("rooms/standup", maxMeetingMinutes=1)
    program.get("rooms/standup/connections")
    started = timezone.now() - timedelta(minutes=2)
    Meeting.objects.update(started_at=started, limited_from=started)
    meet_deadlines()
    call = program.post("rooms/standup/calls", uri="sip:1@sip.example")
    assert call.status_code == 409  # nobody is in the room any more
    opentok.connect(room.session_id)
    program.post("rooms/standup/calls", uri="sip:1@sip.example")
    Activity.objects.update(ends_at=started)
    meet_deadlines()
    by_server = whats(actor_kind="server")
    assert by_server[1:] == ["everything.stopped", "meeting.ended", "call.stopped"]
    assert last("meeting.ended").room_name == "standup"


def test_who_is_banned_is_removed_by_who_bans_and_later_by_the_server(
    server, opentok, program, room
):
    opentok.control(
        "POST",
        "/callback-url",
        {"urls": {"all": f"{server.url}/callbacks"}, "secret": django_settings.CALLBACK_SECRET},
    )
    path = f"/sessions/{room.session_id}/connections"

    def connect():
        return opentok.control("POST", path, {"data": ANNA})["connectionId"]

    anna = connect()
    eventually(lambda: program.get("rooms/standup/presence").json()["items"] != [], True)
    assert program.post("rooms/standup/bans", connectionId=anna).status_code == 201
    removed = last("person.removed")
    assert (removed.actor_kind, removed.details) == ("key", {"connection": anna, "why": "banned"})
    again = connect()
    eventually(lambda: whats(actor_kind="server")[1:], ["person.removed"])
    assert last("person.removed").details == {"connection": again, "why": "banned"}


def test_log_ins_and_log_outs_are_recorded(client, ada):
    form = {"username": "ada", "password": "lovelace-1815"}
    client.post("/admin/login/", form, REMOTE_ADDR="192.0.2.1")
    client.post("/admin/logout/", REMOTE_ADDR="192.0.2.1")
    entries = Entry.objects.filter(what__startswith="login.").order_by("id")
    told = [(entry.what, entry.actor_name, entry.subject_name, entry.address) for entry in entries]
    assert told == [
        (what, "ada", "ada", "192.0.2.1") for what in ("login.succeeded", "login.ended")
    ]


def test_failed_log_ins_are_recorded_once_a_minute_and_address(client, ada):
    for name in ("ada", "my-password", "ada"):
        form = {"username": name, "password": "wrong-4711"}
        client.post("/admin/login/", form, REMOTE_ADDR="192.0.2.2")
    client.post("/admin/login/", form | {"username": "my-password"}, REMOTE_ADDR="192.0.2.3")
    entries = Entry.objects.filter(what="login.failed").order_by("id")
    told = [(entry.actor_kind, entry.address, entry.subject_name) for entry in entries]
    assert told == [("visitor", "192.0.2.2", "ada"), ("visitor", "192.0.2.3", "")]
    assert "my-password" not in str(list(Entry.objects.values()))


def test_staff_who_change_their_own_password_are_recorded(staff):
    new = {
        "old_password": "lovelace-1815",
        "new_password1": "engine-1843",
        "new_password2": "engine-1843",
    }
    assert staff.post("/admin/password_change/", new).status_code == 302
    assert last("password.changed").actor_name == "ada"


def test_refused_keys_are_recorded_once_a_minute_and_address_with_the_prefix_of_one_that_ended(
    client, db
):
    key = ApiKey(name="old", capabilities=["manage"])
    key.issue()
    key.revoke()
    for text in ("otr_nonsense", key.text, key.text):
        headers = {"Authorization": f"Bearer {text}"}
        assert (
            client.get("/api/v1/rooms", headers=headers, REMOTE_ADDR="192.0.2.4").status_code == 401
        )
    refused = Entry.objects.filter(what__startswith="refused.").order_by("id")
    assert [(entry.what, entry.details) for entry in refused] == [
        ("refused.key_invalid", {}), ("refused.key_revoked", {"prefix": key.prefix}),
    ]  # fmt: skip


def test_refusals_of_very_many_addresses_are_recorded_up_to_a_limit(client, db):
    for host in range(70):
        headers = {"Authorization": "Bearer x.y.z"}
        client.get("/api/v1/rooms", headers=headers, REMOTE_ADDR=f"198.51.100.{host}")
    assert Entry.objects.filter(what="refused.client_token_invalid").count() == 60


def test_keys_made_by_a_command_are_the_servers(db, capsys):
    call_command("apikey", "create", "school", "--can", "join")
    entry = last("key.made")
    assert (entry.actor_kind, entry.subject_name, entry.details["capabilities"]) == (
        "server",
        "school",
        ["join"],
    )
    assert capsys.readouterr().out.strip() not in str(entry.details)


def test_what_staff_do_with_keys_users_and_groups_is_recorded(staff):
    key = ApiKey(name="old", capabilities=["join"])
    key.issue()
    page = f"/admin/access/apikey/{key.pk}/"
    staff.post(f"{page}change/", {"name": "older", "capabilities": ["join", "list"]})
    staff.post(f"{page}delete/", {"post": "yes"})
    staff.post("/admin/auth/group/add/", {"name": "helpers"})
    entries = Entry.objects.filter(actor_kind="staff", actor_name="ada").order_by("id")
    assert [(entry.what, entry.subject_name) for entry in entries] == [
        ("key.changed", "older"), ("key.deleted", "older"), ("group.added", "helpers"),
    ]  # fmt: skip
    assert entries[0].details["capabilities"] == ["join", "list"]
    assert entries[0].details["before"] == {"name": "old", "capabilities": ["join"]}


def test_entries_are_neither_changed_nor_deleted(db):
    Entry.objects.record("room.made", room="standup")
    entry = Entry.objects.get()
    for change in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        Entry.objects.filter(pk=1).delete,
    ):
        with pytest.raises(EntriesStay):
            change()
    with pytest.raises(EntriesStay):
        Entry.objects.update(what="")
    with pytest.raises(EntriesStay):
        Entry.objects.bulk_update([entry], ["what"])
    assert Entry.objects.get().what == "room.made"


def test_details_are_bounded_and_have_nothing_that_a_database_does_not_take(db):
    Entry.objects.record("room.made", room="x\0\ud800" + "y" * 300, long="z" * 5000)
    Entry.objects.record("room.changed", many={str(number): "z" * 100 for number in range(100)})
    made, changed = Entry.objects.order_by("id")
    assert (len(made.room_name), len(made.details["long"])) == (200, 200)
    assert changed.details == {"left_out": ["many"]}


@pytest.mark.parametrize(("days", "left"), [(365, ["new"]), (0, ["old", "old", "new"])])
def test_entries_are_kept_for_audit_days(db, settings, days, left):
    settings.AUDIT_DAYS = days
    for what, age in (("old", 366), ("old", 400), ("new", 364)):
        entry = Entry.objects.entry(what, None)
        entry.at = timezone.now() - timedelta(days=age)
        entry.save()
    tidy()
    assert whats() == left
