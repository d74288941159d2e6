from django.db import models


class Capability(models.TextChoices):
    """What a client may do. ANONYMOUS_ACCESS names those that need no API key."""

    JOIN = "join", "Join rooms"
    RECORD = "record", "Start and stop recordings"
    VIEW = "view", "See a recording whose id is known"
    LIST = "list", "List recordings"
    MANAGE = "manage", "Manage rooms and recordings, under /api/v1/"
