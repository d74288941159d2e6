"""Lists of the admin as CSV."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from audit.models import Entry, kind_of
from staff.large_tables import LargeTableAdmin
from web.spreadsheets import csv_response

CHUNK = 2000
NOT_RECORDED = "(not recorded)"


class ExportedAdmin(LargeTableAdmin):
    """Base of admins with a link to a CSV of the list, as it is searched and filtered."""

    max_csv_rows = 10_000
    csv_columns: ClassVar[Sequence[str]] = []
    # Parameters of the list that may name a person, and are not recorded.
    unrecorded: ClassVar[Sequence[str]] = [SEARCH_VAR]

    def csv_row(self, row: Any) -> Iterable[object]:
        """The values of `csv_columns`."""
        raise NotImplementedError

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.as_csv)
        return [path("csv/", view, name=self._csv_name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        query = request.META["QUERY_STRING"]
        link = reverse(f"admin:{self._csv_name}") + (f"?{query}" if query else "")
        told = {"csv": link, "csv_rows": self.max_csv_rows}
        return super().changelist_view(request, told | (extra_context or {}))

    def as_csv(self, request: HttpRequest) -> HttpResponse:
        """The first `max_csv_rows` of the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as error:
            raise BadRequest("Not a query of the list") from error
        rows = [self.csv_row(row) for row in found[: self.max_csv_rows].iterator(CHUNK)]
        _, _, kind = kind_of(self.model).rpartition(" ")
        Entry.objects.record(f"{kind}.exported", query=self._recorded(request), rows=len(rows))
        name = str(self.opts.verbose_name_plural).replace(" ", "-")
        zone = timezone.get_current_timezone()
        return csv_response(f"{name}.csv", self.csv_columns, rows, zone=zone)

    def _recorded(self, request: HttpRequest) -> dict[str, str]:
        """The query, for the audit log."""
        given = request.GET.dict().items()
        return {
            name: NOT_RECORDED if value and name in self.unrecorded else value
            for name, value in given
        }

    @property
    def _csv_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_csv"
