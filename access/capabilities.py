from django.db import models


class Capability(models.TextChoices):
    """What a client may do. Those in ANONYMOUS_ACCESS need no API key."""

    JOIN = "join", "Join rooms"
    RECORD = "record", "Start and stop recordings"
    VIEW = "view", "See a recording whose id is known"
    LIST = "list", "List recordings"
    BROADCAST = "broadcast", "Broadcast rooms"
    CAPTION = "caption", "Caption rooms"
    CALL = "call", "Bring in phones, rendered pages and audio connectors"
    MODERATE = "moderate", "Signal, mute and remove people"
    MANAGE = "manage", "Manage rooms and recordings, under /api/v1/"
    AUDIT = "audit", "Read who did what, under /api/v1/"


# The capabilities of a client token in its own session, by its role. `publisheronly` has none: by a
# bot or captions its bearer would learn what the others say.
OF_ROLE: dict[str, set[Capability]] = {
    "moderator": {Capability.CAPTION, Capability.CALL, Capability.MODERATE},
    "publisher": {Capability.CAPTION, Capability.CALL},
}

# They cost money, or affect other people. By default they need an API key.
SENSITIVE = [Capability.BROADCAST, Capability.CAPTION, Capability.CALL, Capability.MODERATE]
