"""What a page in a session may ask for: a function for each, called under the world's lock.

Roles: Vonage's guide to tokens. Statuses: those that the SDK makes its errors of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from emulator.browser import raptor
from emulator.browser.raptor import Refused
from emulator.messages import BadInput

if TYPE_CHECKING:
    from emulator.browser.member import Member

Ids = dict[str, str]
Content = dict[str, Any]
Operation = Callable[["Member", Ids, Content], Any]


def carry_out(member: Member, method: str, path: str, content: Content) -> Any:
    """The data of the answer, None without any. Raises Refused. `path` is below the session's."""
    for pattern, methods in ROUTES:
        match = pattern.fullmatch(path)
        if match and method in methods:
            return methods[method](member, match.groupdict(), content)
    raise Refused(404, "Not found")


def force_disconnect(member: Member, ids: Ids, content: Content) -> None:
    check_role(member, "moderator")
    try:
        member.world.disconnect(member.session_id, ids["connection"], reason="forceDisconnected")
    except KeyError:
        raise Refused(404, "There is no such connection") from None


def publish(member: Member, ids: Ids, content: Content) -> Any:
    check_role(member, "publisher", "publisheronly", "moderator")
    stream_id = raptor.read_id(ids["stream"])
    stream = raptor.read_stream(content)
    if stream_id in member.session.streams:
        raise Refused(409, "There is such a stream already")
    member.hub.contents[stream_id] = stream
    try:
        member.world.publish(
            member.session_id,
            member.id,
            stream_id=stream_id,
            layout_classes=list(member.token.layout_classes),
            **raptor.summary(stream),
        )
    except BadInput:
        del member.hub.contents[stream_id]
        raise Refused(409, "streamLimitExceeded") from None
    return {"content": {"iceServers": []}}


def unpublish(member: Member, ids: Ids, content: Content) -> None:
    stream = the_stream(member, ids)
    reason = "clientDisconnected"
    if stream.connection_id != member.id:
        check_role(member, "moderator")
        reason = "forceUnpublished"
    member.world.unpublish(member.session_id, stream.id, reason=reason)


def update_channel(member: Member, ids: Ids, content: Content) -> None:
    stream = the_stream(member, ids)
    if stream.connection_id != member.id:
        raise Refused(403, "The stream is another's")
    changes = raptor.known_fields(content, raptor.CHANNEL)
    if member.hub.update_channel(stream.id, ids["channel"], changes):
        summary = raptor.summary(member.hub.contents[stream.id])
        member.world.update_stream(member.session_id, stream.id, **summary)


def mute_stream(member: Member, ids: Ids, content: Content) -> None:
    stream = the_stream(member, ids)
    check_role(member, "moderator")
    member.world.mute_stream(member.session_id, stream.id)


def mute_all(member: Member, ids: Ids, content: Content) -> None:
    check_role(member, "moderator")
    excluded = content.get("exclusion") or []
    if not isinstance(excluded, list) or not all(isinstance(each, str) for each in excluded):
        raise BadInput("exclusion is a list of streams")
    member.world.mute_all(
        member.session_id, active=content.get("active") is not False, excluded=excluded
    )


def subscribe(member: Member, ids: Ids, content: Content) -> None:
    check_role(member, "subscriber", "publisher", "moderator")
    stream = the_stream(member, ids)
    subscription_id = raptor.read_id(ids["subscriber"])
    if subscription_id in member.hub.subscriptions:
        raise Refused(409, "There is such a subscriber already")
    if len(member.hub.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise Refused(409, "streamLimitExceeded")
    member.hub.subscribe(
        stream.id,
        subscription_id,
        subscriber=member.id,
        publisher=stream.connection_id,
        captions=raptor.wants_captions(content),
    )


def unsubscribe(member: Member, ids: Ids, content: Content) -> None:
    subscription = member.hub.subscriptions.get(ids["subscriber"])
    if subscription is None or subscription.subscriber != member.id:
        raise Refused(404, "There is no such subscriber")
    member.hub.unsubscribe(subscription)


def prefer(member: Member, ids: Ids, content: Content) -> None:
    """What a subscriber would like to get. But for captions, these are hints for a media server."""
    subscription = member.hub.subscriptions.get(ids["subscriber"])
    if subscription is not None and subscription.subscriber == member.id:
        is_wanted = content.get("active")
        if ids["channel"] == raptor.CAPTIONS and isinstance(is_wanted, bool):
            subscription.captions = is_wanted


def pass_on(method: str, member: Member, ids: Ids, content: Content) -> None:
    if not member.hub.pass_on(method, content, sender=member.id, at=ids["subscriber"]):
        raise Refused(404, "There is no such subscriber")


def signal(member: Member, ids: Ids, content: Content) -> None:
    kind, data = raptor.read_signal(content)
    if not member.signals.admits():
        raise Refused(429, "Too many signals")
    try:
        member.world.signal(
            member.session_id, type=kind, data=data, sender=member.id, to=ids.get("connection")
        )
    except KeyError:
        raise Refused(404, "There is no such connection") from None


def send_data(member: Member, ids: Ids, content: Content) -> None:
    """A publisher's statistics, for those who have its stream."""
    stream = the_stream(member, ids)
    if stream.connection_id != member.id:
        raise Refused(403, "The stream is another's")
    told = {"type": "data", "data": content.get("data")}
    member.hub.send_data(stream.id, ids["channel"], told)


def the_stream(member: Member, ids: Ids) -> Any:
    try:
        return member.session.streams[ids["stream"]]
    except KeyError:
        raise Refused(404, "There is no such stream") from None


def check_role(member: Member, *roles: str) -> None:
    if member.role not in roles:
        raise Refused(403, f"A {member.role} may not do that")


# Of a session.
MAX_SUBSCRIPTIONS = 20_000
NEGOTIATION = ("offer", "answer", "pranswer", "candidate")
CONNECTION = r"/connection/(?P<connection>[^/]+)"
STREAM = r"/stream/(?P<stream>[^/]+)"
CHANNEL = r"/channel/(?P<channel>[^/]+)"
SUBSCRIBER = STREAM + r"/subscriber/(?P<subscriber>[^/]+)"
ROUTES: list[tuple[re.Pattern[str], dict[str, Operation]]] = [
    (re.compile(""), {"update": mute_all}),
    (re.compile(CONNECTION), {"delete": force_disconnect}),
    (re.compile(STREAM), {"create": publish, "delete": unpublish, "update": mute_stream}),
    (re.compile(STREAM + CHANNEL), {"update": update_channel}),
    (re.compile(STREAM + CHANNEL + "/data/[^/]+"), {"data": send_data}),
    (
        re.compile(SUBSCRIBER),
        {
            "create": subscribe,
            "delete": unsubscribe,
            **{method: partial(pass_on, method) for method in NEGOTIATION},
        },
    ),
    (re.compile(SUBSCRIBER + CHANNEL), {"update": prefer}),
    (re.compile(f"({CONNECTION})?/signal/[^/]+"), {"signal": signal}),
]
