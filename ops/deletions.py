"""What the rules of ops/retention.py delete soon: a page of the admin, and a filter for lists."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from access.permissions import has_own_rooms_only
from archives.models import Archive
from ops.retention import RULES, Rule

# By days from now. Each includes those before.
SPANS = {0: "Now", 1: "Within a day", 7: "Within a week", 30: "Within 30 days"}
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Amount:
    """Formatted numbers; `link` is the list of the rows, if there is one."""

    rows: str = "0"
    size: str = ""
    link: str = ""


class DeletedSoon(admin.SimpleListFilter):
    title, parameter_name = "deletion", "deleted_within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rules = _rules_of(model_admin.model)
        return [
            (_value(rule, days), words if len(rules) == 1 else f"{capfirst(rule.what)}: {words}")
            for rule in rules
            for days, words in SPANS.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for rule in _rules_of(queryset.model):
            for days in SPANS:
                if self.value() == _value(rule, days):
                    return queryset & _going(rule, timezone.now(), days)
        return queryset


def add_filters() -> None:
    """Add the filter to the lists, whose apps know nothing of these rules."""
    for model in {rule.model for rule in RULES}:
        if admin.site.is_registered(model):
            listed: Any = admin.site.get_model_admin(model)
            listed.list_filter = [*listed.list_filter, DeletedSoon]


def page(request: HttpRequest) -> HttpResponse:
    """The page, with the rules whose rows this user may view."""
    rules = rules_for(request.user)
    if not rules:
        raise PermissionDenied
    now = timezone.now()
    context = admin.site.each_context(request) | {
        "title": "What is deleted when",
        "now": now,
        "spans": list(SPANS.values()),
        "rules": [(rule.what, _amounts(rule, now)) for rule in rules],
        "held": _held() if request.user.has_perm("archives.view_archive") else None,
        "most": f"{MOST_COUNTED:,}",
    }
    return TemplateResponse(request, "admin/deletions.html", context)


def rules_for(user: Any) -> list[Rule]:
    """None for staff who work with own rooms only, since rules are about all rooms."""
    if has_own_rooms_only(user):
        return []
    return [rule for rule in RULES if user.has_perm(_permission(rule))]


def _permission(rule: Rule) -> str:
    meta = rule.model._meta
    return f"{meta.app_label}.{get_permission_codename('view', meta)}"


def _rules_of(model: Any) -> list[Rule]:
    return [rule for rule in RULES if rule.model is model]


def _value(rule: Rule, days: int) -> str:
    """The value of the filter. Recordings have two rules."""
    place = _rules_of(rule.model).index(rule)
    return f"{days}-{place}" if place else str(days)


def _going(rule: Rule, now: datetime, days: int) -> QuerySet[Any]:
    return rule.old(now + timedelta(days=days)).order_by()


def _amounts(rule: Rule, now: datetime) -> list[Amount]:
    """An amount for each of SPANS. If there is none in the longest, it takes one statement."""
    amounts: list[Amount] = []
    for days in sorted(SPANS, reverse=True):
        if amounts and amounts[0].rows == "0":
            amounts.insert(0, Amount())
        else:
            link = _list_of(rule.model, f"deleted_within={_value(rule, days)}")
            amounts.insert(0, _amount(_going(rule, now, days), size=rule.size, link=link))
    return amounts


def _held() -> Amount:
    held = Archive.objects.filter(held_at__isnull=False)
    return _amount(held.order_by(), size="size", link=_list_of(Archive, "on_hold=yes"))


def _amount(rows: QuerySet[Any], *, size: str, link: str) -> Amount:
    """Counted no further than MOST_COUNTED."""
    sums = {"bytes": Sum(size)} if size else {}
    found = rows[: MOST_COUNTED + 1].aggregate(rows=Count("*"), **sums)
    if not found["rows"]:
        return Amount()
    more = "+" if found["rows"] > MOST_COUNTED else ""
    size = f"{filesizeformat(found['bytes'])}{more}" if found.get("bytes") else ""
    return Amount(f"{min(found['rows'], MOST_COUNTED):,}{more}", size, link)


def _list_of(model: Any, query: str) -> str:
    if not admin.site.is_registered(model):
        return ""
    meta = model._meta
    return f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{query}"
