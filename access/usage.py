"""The time of the last use, exact to a minute."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from access.notes import best_effort

# At most one write a minute.
NOTE_USE_EVERY = timedelta(minutes=1)


class NotesUse(models.Model):
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        abstract = True

    def note_use(self) -> None:
        now = timezone.now()
        # A time in the future was noted while a clock was ahead.
        if self.last_used_at and abs(now - self.last_used_at) <= NOTE_USE_EVERY:
            return
        rows = type(self)._default_manager
        with (
            best_effort(f"note when this {self._meta.verbose_name} was used"),
            transaction.atomic(),
        ):
            # Skip a locked row: its transaction notes the time as well, or matters more.
            free = rows.select_for_update(skip_locked=True).filter(pk=self.pk)
            rows.filter(pk__in=free.values("pk")).update(last_used_at=now)
