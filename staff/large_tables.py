"""Admin lists that stay quick on a million rows, where Django's own would read all of them."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property

from staff.offered import OfferedChangeList, OfferedOnly

Row = TypeVar("Row", bound=models.Model)


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
        return int(rows[: self.most + 1].count())


class SeekingQuerySet(models.QuerySet[Row]):
    """Answers what the date hierarchy asks for from an index, and nothing else."""

    def datetimes(self, field_name: str, kind: str, *args: Any, **kwargs: Any) -> Any:
        """The years, months or days in which there are rows, as the date hierarchy asks for them.

        Seeks in the field's index from one period to the next, instead of truncating each row's
        date: as many short queries as there are periods.
        """
        periods: list[datetime] = []
        moment = self._first(field_name)
        while moment is not None:
            periods.append(_start(timezone.localtime(moment), kind))
            moment = self._first(field_name, since=_next(periods[-1], kind))
        return periods

    def _first(self, field_name: str, *, since: datetime | None = None) -> datetime | None:
        rows: models.QuerySet[Row] = self
        if since is not None:
            # Put in front: of two lower bounds SQLite seeks to the first one that it reads.
            rows = self.model._base_manager.filter(**{f"{field_name}__gte": since}) & self
        return rows.order_by(field_name).values_list(field_name, flat=True).first()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One query each: an index tells SQLite a minimum or a maximum, but not both at once."""
        found: dict[str, Any] = super().aggregate(*args) if args else {}
        for name, wanted in kwargs.items():
            found |= super().aggregate(**{name: wanted})
        return found


def _start(moment: datetime, kind: str) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day
    return day.replace(day=1) if kind == "month" else day.replace(day=1, month=1)


def _next(start: datetime, kind: str) -> datetime:
    longest = {"day": 1, "month": 31, "year": 366}[kind]
    return _start(start + timedelta(days=longest), kind)


class LargeTableChangeList(OfferedChangeList):
    """Has no date hierarchy above a search's results, which come by another index."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.query:
            self.date_hierarchy = None

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> SeekingQuerySet[Any]:
        queryset = super().get_queryset(request, *args, **kwargs)
        return SeekingQuerySet(self.model, query=queryset.query, using=queryset.db)


class LargeTableAdmin(OfferedOnly):
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LargeTableChangeList


class ReadOnly:
    """Mixed into an admin of rows that people may look at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
