"""Admin lists that stay quick on a million rows, where Django's own would read all of them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property

from staff.offered import OfferedOnly


class CappedPaginator(Paginator):
    """Counts no further than `most`; what lies beyond is found by searching and filtering."""

    most = 10_000

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        # Unsorted, so that it stops at the first ones that it finds.
        return int(rows.order_by()[: self.most + 1].count())


class PeriodFilter(admin.SimpleListFilter):
    """By ranges that an index has. The parameter is named after the field.

    Django's date hierarchy would truncate the date of each row.
    """

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in _periods()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        if period := _periods().get(self.value() or ""):
            start, end = period
            field = self.parameter_name
            return queryset.filter(**{f"{field}__gte": start, f"{field}__lt": end})
        return queryset


class RunningFilter(admin.SimpleListFilter):
    """Of rows that have no `ended_at` while they run."""

    title, parameter_name = "running", "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        if self.value() in {"yes", "no"}:
            return queryset.filter(ended_at__isnull=self.value() == "yes")
        return queryset


def _periods() -> dict[str, tuple[datetime, datetime]]:
    """Their starts and ends."""
    day = timedelta(days=1)
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    return {
        "today": (today, today + day),
        "yesterday": (today - day, today),
        "past 7 days": (today - 7 * day, today + day),
        "this month": (month, today + day),
        "last month": ((month - day).replace(day=1), month),
    }


class LargeTableAdmin(OfferedOnly):
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200


class ReadOnly:
    """Mixed into an admin of rows that people may look at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
