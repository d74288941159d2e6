"""Admin lists that stay quick on a million rows, all of which Django's own lists would read."""

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property

from staff.offered import OfferedChangeList, OfferedOnly


class CappedPaginator(Paginator):
    """Counts no further than `most`. Rows beyond are found by searching and filtering."""

    most = 5_000

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
        # Unsorted, so that the database stops at the limit.
        return int(rows.order_by()[: self.most + 1].count())


class LargeChangeList(OfferedChangeList):
    """Sorts search results only if they are fewer than `CappedPaginator.most`, since sorting more
    takes seconds. The whole table is sorted by an index.
    """

    is_too_large_to_sort = False

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> models.QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        if ORDER_VAR not in self.params or not found.query.where:
            return found
        first = found.order_by()[: CappedPaginator.most + 1]
        if first.count() > CappedPaginator.most:
            self.is_too_large_to_sort = True
            del self.params[ORDER_VAR], self.filter_params[ORDER_VAR]
            return found.order_by(*self.get_ordering(request, found.order_by()))
        rows = self.root_queryset.filter(pk__in=first.values("pk"))
        return self.apply_select_related(rows.order_by(*found.query.order_by))


class LargeTableAdmin(OfferedOnly):
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LargeChangeList


class ReadOnly:
    """Mixed into an admin whose rows are only shown."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
