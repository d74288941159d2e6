"""Filters beside the admin's lists, quick on a million rows."""

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

# Days that every time zone has.
DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9998, 12, 31))]


class FormFilter(admin.SimpleListFilter):
    """A filter with a form below its links. Invalid input finds nothing, and the page says why.

    The parameters of the form are called `<parameter_name>-<field>`.
    """

    template = "admin/form_filter.html"
    form_class: ClassVar[type[forms.Form]]

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        names = [name for name in self.form_parameters() if name in params]
        given = {name: params.pop(name)[-1] for name in names}
        is_asked = any(given.values())
        self.form = self.form_class(given if is_asked else None, prefix=self.parameter_name)
        self.kept: dict[str, str] = {}

    @classmethod
    def form_parameters(cls) -> list[str]:
        return [f"{cls.parameter_name}-{name}" for name in cls.form_class.base_fields]

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter_name, *self.form_parameters()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        rows = self.of_link(queryset, self.value() or "")
        if not self.form.is_bound:
            return rows
        return self.of_form(rows, **self.form.cleaned_data) if self.form.is_valid() else rows.none()

    def of_link(self, rows: models.QuerySet[Any], value: str) -> models.QuerySet[Any]:
        raise NotImplementedError

    def of_form(self, rows: models.QuerySet[Any], **chosen: Any) -> models.QuerySet[Any]:
        raise NotImplementedError

    def choices(self, changelist: Any) -> Any:
        others = changelist.params.items()
        self.kept = {name: held for name, held in others if name not in self.expected_parameters()}
        for choice in super().choices(changelist):
            yield choice | {"selected": choice["selected"] and not self.form.is_bound}

    @property
    def words(self) -> str:
        """The input of the form, in words."""
        fields = [field for field in self.form if field.data]
        return " ".join(f"{str(field.label).lower()} {field.data}" for field in fields)


class PeriodForm(forms.Form):
    """Days in the time zone of the admin, both included."""

    since = forms.DateField(
        label="From", required=False, validators=DAYS, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label="To", required=False, validators=DAYS, widget=forms.DateInput({"type": "date"})
    )

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = self.cleaned_data
        since, until = chosen.get("since"), chosen.get("until")
        if since and until and since > until:
            self.add_error("until", "This is before the first day.")
        return chosen


class PeriodFilter(FormFilter):
    """Filters a field, after which the parameter is named, by a range, which can use an index.

    Django's date hierarchy would truncate the date of each row.
    """

    form_class = PeriodForm

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.capitalize()) for name in _periods()]

    def of_link(self, rows: models.QuerySet[Any], value: str) -> models.QuerySet[Any]:
        if period := _periods().get(value):
            start, end = period
            field = self.parameter_name
            return rows.filter(**{f"{field}__gte": start, f"{field}__lt": end})
        return rows

    def of_form(self, rows: models.QuerySet[Any], **chosen: Any) -> models.QuerySet[Any]:
        field = self.parameter_name
        if since := chosen["since"]:
            rows = rows.filter(**{f"{field}__gte": _start(since)})
        if until := chosen["until"]:
            rows = rows.filter(**{f"{field}__lt": _start(until + timedelta(days=1))})
        return rows


class RunningFilter(admin.SimpleListFilter):
    """Filters rows that have no `ended_at` while they run."""

    title, parameter_name = "running", "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        if self.value() == "yes":
            # A subquery of the few that run: SQLite would walk all rows that a search finds.
            running = queryset.model._default_manager.filter(ended_at=None).order_by()
            return queryset.filter(pk__in=running.values("pk"))
        return queryset.filter(ended_at__isnull=False) if self.value() == "no" else queryset


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _periods() -> dict[str, tuple[datetime, datetime]]:
    """The start and end of each period."""
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
