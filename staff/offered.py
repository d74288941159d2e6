"""What staff may ask of the admin: what its pages offer, and nothing else.

Django takes each lookup of a model's fields from the address. `?access_code__regex=…` reads a hash
letter by letter, and a regular expression can keep SQLite busy for ever.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from audit.models import Entry, kind_of

# As a session id may be. SQLite takes neither a thousand words nor a pattern of 50,000 bytes.
LONGEST_SEARCH = 255
# Enough for such a search in any script. Each link of a list repeats the query.
LONGEST_QUERY = 4096
MADE_UP = (
    DisallowedModelAdminLookup,
    DisallowedModelAdminToField,
    # Of values: Django finds out about some of them only when it asks the database.
    ValueError,
    OverflowError,
    DataError,
)


class OfferedChangeList(ChangeList):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_ordering_field(self, field_name: Any) -> Any:
        offered: Any = self.sortable_by
        return super().get_ordering_field(field_name) if field_name in offered else None

    def get_ordering(self, *args: Any, **kwargs: Any) -> Any:
        """Each column once: SQLite sorts by no more than 2,000. An index of the first one and the
        primary key has the whole order, if both go the same way.
        """
        ordering = list(dict.fromkeys(super().get_ordering(*args, **kwargs)))
        if ordering[1:] == ["-pk"] and not str(ordering[0]).startswith("-"):
            ordering[1] = "pk"
        return ordering

    @property
    def chosen(self) -> list[str]:
        """What the list is filtered by, in words."""
        found = {spec.title: self._chosen(spec) for spec in self.filter_specs}
        return [f"{title} {' '.join(words)}" for title, words in found.items() if words]

    def _chosen(self, spec: Any) -> list[str]:
        _, *choices = spec.choices(self)  # the first is "All"
        selected = [str(choice["display"]).lower() for choice in choices if choice["selected"]]
        return selected + list(filter(None, [getattr(spec, "words", "")]))


class OfferedOnly(ModelAdmin):
    """Base of every ModelAdmin. A list that is asked for anything else redirects to all of it, as
    Django's lists do for lookups that make no sense.

    What Django logs goes into the audit log as well, but for the acts that the model itself records
    there: some of `added`, `changed` and `deleted`.
    """

    recorded_by_model: ClassVar[set[str]] = set()

    show_facets = ShowFacets.NEVER

    class Media:
        js = ("lists.js",)

    # Ends "No room has “x” …", where nothing was found.
    searched = "in what is searched"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, AdminSplitDateTime):
            # Of two inputs, which Django leaves without labels.
            for part, widget in zip(("date", "time"), field.widget.widgets, strict=True):
                widget.attrs["aria-label"] = f"{field.label}: {part}"
        return field

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("added", [obj], message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("changed", [obj], message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        self._record("deleted", queryset)
        return super().log_deletions(request, queryset)

    def _record(self, act: str, rows: Iterable[models.Model], message: Any = None) -> None:
        if act not in self.recorded_by_model:
            for row in rows:
                _, _, kind = kind_of(row).rpartition(" ")
                Entry.objects.record(f"{kind}.{act}", row, message=message)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OfferedChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        if len(request.META["QUERY_STRING"]) > LONGEST_QUERY:
            raise IncorrectLookupParameters("too long")
        try:
            return super().get_changelist_instance(request)
        except MADE_UP as error:
            raise IncorrectLookupParameters(error) from None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Whether it is one of the list's own links, which have each lookup once."""
        if request and len(request.GET.getlist(lookup)) > 1:
            return False
        filters: Any = self.list_filter
        names = [getattr(each, "parameter_name", each) for each in filters]
        endings = ("", "__exact", "__id__exact", "__isnull")
        offered = {f"{name}{ending}" for name in names for ending in endings}
        for each in filters:
            if parameters := getattr(each, "form_parameters", None):
                offered.update(parameters())
        return lookup in offered

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term[:LONGEST_SEARCH])

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing from the address: a date that is none fails when the form is drawn."""
        return {}

    def response_action(
        self, request: HttpRequest, *args: Any, **named: Any
    ) -> HttpResponse | None:
        try:
            for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(selected, None)
        except ValidationError as error:
            raise BadRequest("What was selected has no id") from error
        return super().response_action(request, *args, **named)
