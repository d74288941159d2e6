"""One session as its pages see it, and what they are told of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.archives import Archive
from emulator.browser import raptor
from emulator.sessions import Connection, Session, Stream

if TYPE_CHECKING:
    from emulator.browser.page import Page

# The SDK takes senders that begin like this for a server.
SERVER = "symphony.local"


@dataclass
class Subscription:
    """One page's wish to have another's stream; the two then talk to each other about it.

    The publisher knows it by `alias`, which differs from its id where a page subscribes to its own
    stream: the SDK could not tell the two ends apart.
    """

    id: str
    alias: str
    stream_id: str
    subscriber: str
    publisher: str
    captions: bool


class Hub:
    """Passes messages between the pages of a session.

    `contents` are the streams in their publishers' words; `pages` go by their connections.
    """

    def __init__(self, project_id: str, session_id: str, *, is_relayed: bool) -> None:
        self.session_id = session_id
        self.path = raptor.session_path(project_id, session_id)
        self.source = "P2P" if is_relayed else "MANTIS"
        self.pages: dict[str, Page] = {}
        self.contents: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.archives: set[str] = set()

    # What there is

    def snapshot(self, session: Session, archives: Iterable[Archive]) -> dict[str, Any]:
        """All there is in the session, for one who has just come."""
        connections, archives = session.connections, list(archives)
        self.archives.update(archive.id for archive in archives)
        state: dict[str, Any] = {
            "connection": [connection_view(connection) for connection in connections.values()],
            "stream": [
                self.stream_view(stream, connections[stream.connection_id])
                for stream in session.streams.values()
            ],
            "archive": [archive_view(archive) for archive in archives],
        }
        if session.is_muted:
            state["mute"] = {"active": True}
        return state

    def stream_view(self, stream: Stream, connection: Connection) -> dict[str, Any]:
        content = self.contents.get(stream.id) or made_up_content(stream)
        return {
            "id": stream.id,
            **content,
            "creationTime": stream.created_at,
            "connection": connection_view(connection),
        }

    # Telling

    def tell(
        self,
        path: str,
        method: str,
        content: Any,
        *,
        sender: str = SERVER,
        reason: str | None = None,
        to: Iterable[str] | None = None,
    ) -> None:
        """Those of the connections that are pages, all pages when none are named."""
        transaction, packed = raptor.message(
            f"{self.path}{path}", method, content, sender=sender, reason=reason
        )
        for connection_id in list(self.pages) if to is None else to:
            if page := self.pages.get(connection_id):
                page.tell(transaction, packed)

    def update_channel(self, stream_id: str, channel_id: str, changes: dict[str, Any]) -> bool:
        """Note and tell what has changed of a page's stream. False when nothing has."""
        for channel in self.channels_of(stream_id):
            if channel["id"] == channel_id and changes.items() - channel.items():
                channel.update(changes)
                self.tell(f"/stream/{stream_id}/channel/{channel_id}", "updated", changes)
                return True
        return False

    def channels_of(self, stream_id: str) -> list[dict[str, Any]]:
        """None of a stream that no page told of."""
        content = self.contents.get(stream_id)
        return content["channel"] if content else []

    def stream_updated(self, stream: Stream) -> None:
        """Tell what the page did not do itself."""
        for channel in self.channels_of(stream.id):
            active = {"audio": stream.has_audio, "video": stream.has_video}.get(channel["type"])
            if active is not None:
                self.update_channel(stream.id, channel["id"], {"active": active})

    def stream_destroyed(self, stream: Stream, reason: str) -> None:
        self.tell(f"/stream/{stream.id}", "deleted", {}, reason=reason)
        self.contents.pop(stream.id, None)
        for subscription in self.subscriptions_of(stream=stream.id):
            self.subscriptions.pop(subscription.id, None)
            self.subscriptions.pop(subscription.alias, None)

    def muted(self, streams: Iterable[Stream], *, active: bool, is_session: bool) -> None:
        """Publishers mute themselves, and then say so."""
        content = {"reason": "mute", "channels": ["audio"], "active": active, "locked": False}
        if is_session:
            self.tell("", "update", content)
        for stream in streams:
            self.tell(f"/stream/{stream.id}", "update", content, to=[stream.connection_id])

    def caption(self, stream: Stream, text: str, *, is_final: bool) -> None:
        """What was said in a stream, for those who want its captions."""
        caption = {"streamId": stream.id, "isFinal": is_final, "caption": {"text": text}}
        path = f"/stream/{stream.id}/channel/{raptor.CAPTIONS}/data/{uuid.uuid4()}"
        subscriptions = self.subscriptions_of(stream=stream.id)
        to = {each.subscriber for each in subscriptions if each.captions}
        self.tell(path, "data", {"type": "data", "data": json.dumps(caption)}, to=to)

    def archive_changed(self, archive: Archive) -> None:
        # The SDK takes no new state from an archive that it is told of twice.
        if archive.id in self.archives:
            content = {"status": archive.status}
            self.tell(f"/archive/{archive.id}", "updated", content)
        else:
            self.tell(f"/archive/{archive.id}", "created", archive_view(archive))
        self.archives.add(archive.id)

    def send_data(self, stream_id: str, channel_id: str, content: Any) -> None:
        for subscription in self.subscriptions_of(stream=stream_id):
            path = f"/stream/{stream_id}/subscriber/{subscription.id}/channel/{channel_id}"
            self.tell(f"{path}/data/{uuid.uuid4()}", "data", content,
                      sender=subscription.publisher, to=[subscription.subscriber])  # fmt: skip

    # Subscriptions

    def subscribe(
        self,
        stream_id: str,
        subscription_id: str,
        *,
        subscriber: str,
        publisher: str,
        captions: bool,
    ) -> None:
        """Have the publisher make an offer; what follows, the two pages say to each other."""
        alias = str(uuid.uuid4()) if subscriber == publisher else subscription_id
        made = Subscription(subscription_id, alias, stream_id, subscriber, publisher, captions)
        self.subscriptions[made.id] = self.subscriptions[made.alias] = made
        content = {
            "peerId": str(uuid.uuid4()),
            "sourceStreamId": self.source,
            "simulcastEnabled": False,
        }
        path = f"/stream/{stream_id}/subscriber/{alias}"
        self.tell(path, "generateoffer", content, sender=subscriber, to=[publisher])

    def unsubscribe(self, subscription: Subscription) -> None:
        self.subscriptions.pop(subscription.id, None)
        self.subscriptions.pop(subscription.alias, None)
        path = f"/stream/{subscription.stream_id}/subscriber/{subscription.alias}"
        content, publisher = {"id": subscription.alias}, [subscription.publisher]
        self.tell(path, "deleted", content, sender=subscription.subscriber, to=publisher)

    def pass_on(self, method: str, content: Any, *, sender: str, at: str) -> bool:
        """An offer, an answer or a candidate to the other end. False if the sender is neither.

        `at` is what the sender calls the subscription.
        """
        subscription = self.subscriptions.get(at)
        if subscription is None:
            return False
        path = f"/stream/{subscription.stream_id}/subscriber/"
        if sender == subscription.publisher and at == subscription.alias:
            self.tell(path + subscription.id, method, content, sender=sender,
                      to=[subscription.subscriber])  # fmt: skip
        elif sender == subscription.subscriber:
            self.tell(path + subscription.alias, method, content, sender=sender,
                      to=[subscription.publisher])  # fmt: skip
        else:
            return False
        return True

    def subscriptions_of(self, *, stream: str = "", subscriber: str = "") -> list[Subscription]:
        return [
            subscription
            for key, subscription in self.subscriptions.items()
            if key == subscription.id
            and (subscription.stream_id == stream or subscription.subscriber == subscriber)
        ]


def connection_view(connection: Connection) -> dict[str, Any]:
    return {
        "id": connection.id,
        "creationTime": connection.created_at,
        "data": connection.data,
        "permissions": raptor.PERMISSIONS[connection.role],
        "capabilities": [],
    }


def archive_view(archive: Archive) -> dict[str, Any]:
    return {"id": archive.id, "name": archive.options.name, "status": archive.status}


def made_up_content(stream: Stream) -> dict[str, Any]:
    """What a page would have said of a stream that no page publishes."""
    size = {"width": 640, "height": 480, "orientation": 0, "frameRate": 30}
    audio = {"id": "audio1", "type": "audio", "active": stream.has_audio}
    video = {"id": "video1", "type": "video", "active": stream.has_video, **size,
             "source": stream.video_type, "fitMode": "contain"}  # fmt: skip
    return {"name": stream.name, "channel": [audio, video] if stream.video_type else [audio]}
