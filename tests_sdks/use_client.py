"""Uses the client of the API in Python: `use_client.py FOLDER URL KEY`."""

import sys

sys.path.insert(0, sys.argv[1])

from open_tok_rooms_client import AuthenticatedClient
from open_tok_rooms_client.api.managing_recordings import (
    find_archives,
    get_archive,
    share_archive,
    start_archive,
    stop_archive,
)
from open_tok_rooms_client.api.managing_rooms import find_rooms, get_room, make_room, make_token
from open_tok_rooms_client.api.moderating_rooms import list_connections, mute_all
from open_tok_rooms_client.api.webhooks import make_webhook
from open_tok_rooms_client.models import (
    NewArchiveRequest,
    NewRoomRequest,
    NewShareRequest,
    NewTokenRequest,
    NewWebhookRequest,
    Problem,
    Role,
    Room,
)

url, key = sys.argv[2:]
client = AuthenticatedClient(base_url=url, token=key)
for name in "lab", "hall":
    room = make_room.sync(client=client, body=NewRoomRequest(name=name, recording_days=30))
    assert isinstance(room, Room)
    assert (room.name, room.recording_days) == (name, 30)
credentials = make_token.sync("hall", client=client, body=NewTokenRequest(lifetime=600))
assert credentials.session_id == room.session_id
assert credentials.token
first = find_rooms.sync(client=client, limit=1)
second = find_rooms.sync(client=client, limit=1, cursor=first.next_cursor)
assert [each.items[0].name for each in (first, second)] == ["hall", "lab"]
assert find_archives.sync(client=client, room="hall").items == []
started = start_archive.sync(client=client, body=NewArchiveRequest(room="hall"))
assert (started.status, started.room) == ("started", "hall")
stopped = stop_archive.sync(started.id, client=client)
assert stopped.status == "stopped"
assert [each.id for each in find_archives.sync(client=client, room="hall").items] == [started.id]
assert get_archive.sync(started.id, client=client).session_id == room.session_id
link = share_archive.sync(started.id, client=client, body=NewShareRequest(lifetime=3600))
assert link.url.startswith(f"{url}/shared/")

body = NewTokenRequest(role=Role.MODERATOR)
token = make_token.sync("hall", client=client, body=body).token
moderator = AuthenticatedClient(base_url=url, token=token)
assert len(list_connections.sync("hall", client=moderator).items) == 1
assert mute_all.sync_detailed("hall", client=moderator).status_code == 204
elsewhere = list_connections.sync("lab", client=moderator)
assert elsewhere.code == "session_not_covered"
publisher = AuthenticatedClient(base_url=url, token=credentials.token)
assert list_connections.sync("hall", client=publisher).code == "client_token_insufficient"

problem = get_room.sync("nowhere", client=client)
assert isinstance(problem, Problem)
assert (problem.code, problem.status) == ("room_not_found", 404)
hook = make_webhook.sync(
    client=client, body=NewWebhookRequest(url="https://example.com/", events=["room.*"])
)
assert hook.secret.startswith("whsec_")
print("done")
