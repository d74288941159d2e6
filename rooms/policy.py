"""The policy of a room: who gets in, and when. It is checked at each request for credentials."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from access import codes
from access.capabilities import Capability
from access.guesses import Guesses
from access.invitations import Invitation
from access.limits import consume
from access.models import ApiKey
from rooms.changes import columns, record_changes
from rooms.guests import Guest, connection_data
from rooms.hours import SECOND, Hours, from_column
from web.errors import Problem

MIN_TOKEN_SECONDS = 60
MAX_TOKEN_SECONDS = 30 * 86_400
MAX_PEOPLE = 15_000  # OpenTok's limit of a session
MAX_MINUTES = 7 * 24 * 60
MAX_DAYS = 36_500


@dataclass(frozen=True)
class Visitor:
    """A client that asks for credentials, and what it sent.

    `client` is access.limits.client_ident, for limits; the server's own calls have none, and no
    limits. `role` overrides the room's token role. `ticket` is a guest's: rooms/guests.py.
    """

    key: ApiKey | None = None
    code: str = ""
    client: str = ""
    invitation: Invitation | None = None
    role: str = ""
    ticket: str = ""
    agrees_to_recording: bool = False

    def has_key_to(self, capability: Capability) -> bool:
        """Whether its API key has this capability. ANONYMOUS_ACCESS does not count."""
        return self.key is not None and self.key.may(capability)

    def check_may_make_room(self) -> None:
        """Whether this visitor may make a room by its unknown name.

        Errors: invitation_invalid, room_unknown.
        """
        if self.invitation:
            raise Problem("invitation_invalid")  # to a room that was deleted
        if settings.ROOM_CREATION == "keys" and not self.has_key_to(Capability.JOIN):
            raise Problem("room_unknown")

    def count(self, limit: str) -> None:
        if self.client:
            consume(limit, self.client)


ANONYMOUS = Visitor()


class Policy(models.Model):
    """Mixed into Room. The database has the defaults as well, so that a server of an older version
    can insert rooms while it is being replaced.
    """

    closed = models.BooleanField(
        default=False, db_default=False, help_text="Nobody gets in, whatever else is set here."
    )
    opens_at = models.DateTimeField("opens", null=True, blank=True)
    closes_at = models.DateTimeField(
        "closes", null=True, blank=True, help_text="No token is good for longer."
    )
    # JSON, or nothing: rooms/hours.py.
    weekly_hours = models.TextField(default="", db_default="", editable=False)
    # A hash: access/codes.py.
    access_code = models.CharField(max_length=128, default="", db_default="", editable=False)
    waiting_room = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Visitors wait until a moderator of the room lets them in.",
    )
    recording_consent = models.BooleanField(
        "consent to recording",
        default=False,
        db_default=False,
        help_text="Visitors have to agree to being recorded before they join.",
    )
    record_meetings = models.BooleanField(
        "record every meeting",
        default=False,
        db_default=False,
        help_text="A recording starts when the first person joins, and ends when all have left. "
        "Not of end-to-end encrypted rooms. Consent is asked for only if that is set as well.",
    )
    recording_days = models.IntegerField(
        "days that recordings are kept",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_DAYS)],
        help_text="After so many days their files are deleted, except those on hold. Empty: as "
        "ARCHIVE_DAYS says for every room.",
    )
    max_participants = models.IntegerField(
        "most people at once",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_PEOPLE)],
        help_text="Empty: as many as come.",
    )
    max_meeting_minutes = models.IntegerField(
        "longest meeting",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_MINUTES)],
        help_text="Minutes after which everybody is disconnected; people are warned before. Empty: "
        "as long as they like.",
    )
    # Invitations of earlier generations are revoked: access/invitations.py.
    invitation_generation = models.IntegerField(default=0, db_default=0, editable=False)
    token_lifetime = models.IntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_TOKEN_SECONDS), MaxValueValidator(MAX_TOKEN_SECONDS)],
        help_text="Seconds that a token is good for. Empty: as TOKEN_TTL says for every room.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise ValidationError({"closes_at": "A room cannot close before it opens."})

    def set_policy(self, *, access_code: str | None = None, **columns: Any) -> None:
        """Set some columns, and the access code in plain text, without saving."""
        if access_code is not None:
            self.set_code(access_code)
        for name, value in columns.items():
            setattr(self, name, value)

    def change_policy(self, **policy: Any) -> None:
        """Save only these columns: the room may have got another session meanwhile."""
        before = columns(self, policy)
        self.set_policy(**policy)
        with transaction.atomic():
            self.save(update_fields=policy)
            record_changes(self, before)

    def set_code(self, code: str) -> None:
        """Set the access code, or none if it is empty, without saving."""
        self.access_code = codes.hashed(code) if code.strip() else ""

    @property
    def is_restricted(self) -> bool:
        """Whether the policy can refuse a visitor."""
        asks = self.access_code or self.waiting_room or self.recording_consent
        limits = self.max_participants or self.weekly_hours
        return bool(self.closed or self.opens_at or self.closes_at or asks or limits)

    def admit(self, visitor: Visitor) -> None:
        """Raise the Problem that keeps this visitor out, if any."""
        self.check_policy(visitor)
        if self.needs_ticket(visitor):
            Guest.objects.check_ticket(self.pk, visitor.ticket)

    def check_policy(self, visitor: Visitor) -> None:
        """The same, except for the waiting room."""
        if visitor.invitation:
            self._check_invitation(visitor.invitation)
        if shut := self.shut(now=timezone.now()):
            raise shut
        # A key that may set the policy is exempt from the rest.
        if visitor.has_key_to(Capability.MANAGE):
            return
        if self.access_code and not visitor.invitation:
            self._check_code(visitor)
        if self.recording_consent and not visitor.agrees_to_recording:
            raise Problem("consent_required")

    def needs_ticket(self, visitor: Visitor) -> bool:
        """Whether a moderator has to let this visitor in from the waiting room."""
        is_exempt = visitor.role == "moderator" or visitor.has_key_to(Capability.MANAGE)
        return self.waiting_room and not is_exempt

    def connection_data(self, visitor: Visitor) -> str:
        """The connection data of an admitted visitor's token; empty except for guests."""
        return connection_data(visitor.ticket) if self.needs_ticket(visitor) else ""

    def shut(self, *, now: datetime) -> Problem | None:
        """The Problem that keeps all visitors out now, or None."""
        if self.closed:
            return Problem("room_closed")
        if self.closes_at and self.closes_at - now < SECOND:
            return Problem(
                "room_over",
                moment=_spoken(self.closes_at),
                members={"closedAt": _written(self.closes_at)},
            )
        opening = self._opening(now)
        if opening is None or (self.closes_at and opening >= self.closes_at):
            return Problem("room_closed")
        if opening <= now:
            return None
        return Problem(
            "room_not_open_yet",
            moment=_spoken(opening, self.hours.zone if self.hours else None),
            wait=int((opening - now).total_seconds()) + 1,
            members={"opensAt": _written(opening)},
        )

    @property
    def hours(self) -> Hours | None:
        return from_column(self.weekly_hours)

    @property
    def hours_zone(self) -> str:
        return str(self.hours.zone) if self.hours else ""

    def _opening(self, now: datetime) -> datetime | None:
        """The first moment from now on at which it is open, regardless of `closes_at`; None if that
        is more than a year away.
        """
        earliest = max(now, self.opens_at or now)
        return self.hours.opening(earliest) if self.hours else earliest

    def _check_invitation(self, invitation: Invitation) -> None:
        if (invitation.room, invitation.generation) != (self.pk, self.invitation_generation):
            raise Problem("invitation_invalid")

    def _check_code(self, visitor: Visitor) -> None:
        if not visitor.code:
            raise Problem("access_code_required")
        room = str(self.pk)
        guesses = Guesses(
            own=("code", room, visitor.client),
            all_clients=("code_room", room),
            client=visitor.client,
        )
        if not codes.matches(visitor.code, self.access_code, guesses):
            raise Problem("access_code_wrong")

    def token_seconds(self, *, now: datetime, asked: int | None = None) -> int:
        """The lifetime of a token that is made now, bounded by `closes_at` and the hours."""
        ends = [self.closes_at] if self.closes_at else []
        ends += [self.hours.closing(now)] if self.hours else []
        seconds = int(asked or self.token_lifetime or settings.TOKEN_TTL)
        return min([seconds, *(int((end - now).total_seconds()) for end in ends)])


def _spoken(moment: datetime, zone: ZoneInfo | None = None) -> str:
    local = moment.astimezone(zone or settings.LOCAL_TIME_ZONE)
    return f"{local.day} {local:%B %Y at %H:%M %Z}"


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
