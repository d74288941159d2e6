from django.db import models


class Capability(models.TextChoices):
    """What a client may do. ANONYMOUS_ACCESS names those that need no API key."""

    JOIN = "join", "Join rooms"
    RECORD = "record", "Start and stop recordings"
    VIEW = "view", "See a recording whose id is known"
    LIST = "list", "List recordings"
    BROADCAST = "broadcast", "Broadcast rooms"
    CAPTION = "caption", "Caption rooms"
    CALL = "call", "Bring in phones, pages and bots"
    MODERATE = "moderate", "Signal, mute and remove people"
    MANAGE = "manage", "Manage rooms and recordings, under /api/v1/"
    AUDIT = "audit", "Read who did what, under /api/v1/"


# What a client token stands for, in its own session and by its role. None for `publisheronly`: a
# bot or captions would tell its bearer what the others say.
OF_ROLE: dict[str, set[Capability]] = {
    "moderator": {Capability.CAPTION, Capability.CALL, Capability.MODERATE},
    "publisher": {Capability.CAPTION, Capability.CALL},
}

# What costs money, or acts on other people. No client has it without a key by default.
SENSITIVE = [Capability.BROADCAST, Capability.CAPTION, Capability.CALL, Capability.MODERATE]
