from typing import Any

from django.core.management.base import BaseCommand

from staff.models import SecondFactor


class Command(BaseCommand):
    help = "Encrypt with SECRET_KEY what is encrypted with one of SECRET_KEY_FALLBACKS."

    def handle(self, *args: Any, **options: Any) -> None:
        count = SecondFactor.objects.encrypt_again()
        self.stdout.write(f"{count} second factor{'' if count == 1 else 's'} encrypted again.")
