from typing import Any

from django.core.management.base import BaseCommand

from staff.models import SecondFactor
from webhooks.models import Endpoint


class Command(BaseCommand):
    help = "Encrypt with SECRET_KEY what is encrypted with one of SECRET_KEY_FALLBACKS."

    def handle(self, *args: Any, **options: Any) -> None:
        for model in SecondFactor, Endpoint:
            count = model.objects.encrypt_again()
            meta = model._meta
            name = meta.verbose_name if count == 1 else meta.verbose_name_plural
            self.stdout.write(f"{count} {name} encrypted again.")
