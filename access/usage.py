"""When something was last used, for staff: exact to a minute, and never in a request's way."""

from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from access.notes import best_effort

# One write a minute at most for what is used all the time.
NOTE_USE_EVERY = timedelta(minutes=1)


class NotesUse(models.Model):
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        abstract = True

    def note_use(self) -> None:
        now = timezone.now()
        # A use in the future was noted while the clock ran ahead.
        if self.last_used_at and abs(now - self.last_used_at) <= NOTE_USE_EVERY:
            return
        rows = type(self)._default_manager
        with (
            best_effort(f"note when this {self._meta.verbose_name} was used"),
            transaction.atomic(),
        ):
            # A transaction that holds the row's lock notes the same time or changes more: skip it.
            free = rows.select_for_update(skip_locked=True).filter(pk=self.pk)
            rows.filter(pk__in=free.values("pk")).update(last_used_at=now)
