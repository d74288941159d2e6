"""When something was last used, as staff see it: exact to a minute, and never in anybody's way."""

import logging
from datetime import timedelta

from django.db import DatabaseError, models, transaction
from django.utils import timezone

logger = logging.getLogger(__name__)

# One write a minute at most for what is used all the time.
NOTE_USE_EVERY = timedelta(minutes=1)


class NotesUse(models.Model):
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        abstract = True

    def note_use(self) -> None:
        now = timezone.now()
        if self.last_used_at and now - self.last_used_at <= NOTE_USE_EVERY:
            return
        rows = type(self)._default_manager
        try:
            with transaction.atomic():
                # Whoever holds the row's lock is noting the same, or more: nobody waits for it.
                free = rows.select_for_update(skip_locked=True).filter(pk=self.pk)
                rows.filter(pk__in=free.values("pk")).update(last_used_at=now)
        except DatabaseError as error:
            # Nobody is kept out because of it.
            logger.warning("Not noted when this %s was used: %s", self._meta.verbose_name, error)
