"""Uses the client of the API in Python: `use_client.py FOLDER URL KEY`."""

import sys

sys.path.insert(0, sys.argv[1])

from open_tok_rooms_client import AuthenticatedClient
from open_tok_rooms_client.api.managing_recordings import find_archives
from open_tok_rooms_client.api.managing_rooms import find_rooms, get_room, make_room, make_token
from open_tok_rooms_client.api.webhooks import make_webhook
from open_tok_rooms_client.models import (
    NewRoomRequest,
    NewTokenRequest,
    NewWebhookRequest,
    Problem,
    Room,
)

client = AuthenticatedClient(base_url=sys.argv[2], token=sys.argv[3])
for name in "lab", "exam":
    room = make_room.sync(client=client, body=NewRoomRequest(name=name, recording_days=30))
    assert isinstance(room, Room)
    assert (room.name, room.recording_days) == (name, 30)
credentials = make_token.sync("exam", client=client, body=NewTokenRequest(lifetime=600))
assert credentials.session_id == room.session_id
assert credentials.token
first = find_rooms.sync(client=client, limit=1)
second = find_rooms.sync(client=client, limit=1, cursor=first.next_cursor)
assert [each.items[0].name for each in (first, second)] == ["exam", "lab"]
assert find_archives.sync(client=client).items == []
problem = get_room.sync("nowhere", client=client)
assert isinstance(problem, Problem)
assert (problem.code, problem.status) == ("room_not_found", 404)
hook = make_webhook.sync(
    client=client, body=NewWebhookRequest(url="https://example.com/", events=["room.*"])
)
assert hook.secret.startswith("whsec_")
print("done")
