from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Model

from staff.models import SecondFactor
from webhooks.models import Endpoint


class Command(BaseCommand):
    help = "Encrypt with SECRET_KEY what is encrypted with one of SECRET_KEY_FALLBACKS."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in SecondFactor, Endpoint:
            rows = model.objects.encrypt_again()
            self.stdout.write(f"{_counted(rows.done, model)} encrypted again.")
            if rows.unreadable:
                self.stderr.write(
                    f"{_counted(rows.unreadable, model)} could not be read: SECRET_KEY_FALLBACKS "
                    "does not have the key that encrypted them."
                )


def _counted(count: int, model: type[Model]) -> str:
    meta = model._meta
    return f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"
