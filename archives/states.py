"""The states of a recording, and their order."""

from datetime import timedelta

from django.db import models


class Status(models.TextChoices):
    """OpenTok's states of an archive. The first three can still become available."""

    STARTED = "started"
    PAUSED = "paused"
    STOPPED = "stopped"
    UPLOADED = "uploaded"
    AVAILABLE = "available"
    FAILED = "failed"
    EXPIRED = "expired"
    DELETED = "deleted"


# The order of states. News of a lower rank than the stored one came late and is ignored.
RANK: dict[str, int] = {
    Status.STARTED: 0,
    Status.PAUSED: 0,
    Status.STOPPED: 1,
    Status.UPLOADED: 2,
    Status.AVAILABLE: 2,
    Status.FAILED: 3,
    Status.EXPIRED: 3,
    Status.DELETED: 4,
}

GONE = {Status.FAILED, Status.EXPIRED, Status.DELETED}

# Unless OpenTok uploads to a storage of one's own.
KEPT_BY_OPENTOK = timedelta(hours=72)
# No recording is longer than a day.
DAY = timedelta(days=1)
