"""Actions on several rows of a list, with a page that asks for confirmation."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from rest_framework.exceptions import APIException

from staff.page_actions import PageActions


class SelectedActions(ModelAdmin):
    """Base of the admins with such actions."""

    def do_selected(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        name: str,
        act: Callable[[Any], str],
        *,
        asks: str,
        most: int,
        form: BaseForm | None = None,
    ) -> HttpResponse | None:
        """Ask for confirmation, with a `form` if there is one, and then call `act` with each row.

        `act` returns a sentence about what it did; an APIException leaves its row unchanged. `name`
        is the name of the action. A request does at most `most` rows, and none after
        OPENTOK_TIMEOUT. static/selected.js sends one request for each row of a page of the list,
        with `step`, and none of them shows a page.
        """
        is_asked = "confirmed" not in request.POST
        limit = max(most, self.list_max_show_all) if is_asked else most
        rows = list(queryset[: limit + 1])
        if len(rows) > limit:
            few = f"Choose at most {limit} {self.opts.verbose_name_plural} at a time."
            self.message_user(request, few, messages.ERROR)
            return None
        if gone := max(len(request.POST.getlist(ACTION_CHECKBOX_NAME)) - len(rows), 0):
            left = f"{gone} of those that you chose are not in the list any more."
            self.message_user(request, left, messages.ERROR)
        if is_asked or (form and not form.is_valid()):
            return self._ask(request, rows, name, asks=asks, most=most, form=form)
        done: dict[str, list[str]] = defaultdict(list)
        until = time.monotonic() + settings.OPENTOK_TIMEOUT
        for place, row in enumerate(rows):
            if time.monotonic() > until:
                late = f"That took too long. Choose the other {len(rows) - place} again."
                self.message_user(request, late, messages.ERROR)
                break
            try:
                sentence = act(row)
            except APIException as error:
                self.message_user(request, f"{self.called(row)}: {error.detail}", messages.ERROR)
            else:
                self.log_change(request, row, sentence)
                done[sentence].append(self.called(row))
        for sentence, names in done.items():
            self.message_user(request, f"{', '.join(names)}: {sentence}", messages.SUCCESS)
        return HttpResponse(status=204) if "step" in request.POST else None

    def called(self, row: Any) -> str:
        """The name of a row in messages; in quotes, or its first letter would be capitalized."""
        return f"“{row}”"

    def _ask(
        self,
        request: HttpRequest,
        rows: list[Any],
        name: str,
        *,
        asks: str,
        most: int,
        form: BaseForm | None,
    ) -> HttpResponse:
        label = getattr(self, name).short_description
        context = self.admin_site.each_context(request) | {
            "title": f"{label}?",
            "opts": self.opts,
            "rows": [(row, self.about(row)) for row in rows],
            "action": name,
            "label": label,
            "asks": asks,
            "most": most,
            "form": form,
        }
        return TemplateResponse(request, "admin/ask_selected.html", context)

    def about(self, row: Any) -> str:
        """More about a row, for the page that asks for confirmation."""
        return ""


class SelectedPageActions(SelectedActions, PageActions):
    """Base of the admins that offer actions of a row's page for selected rows as well."""

    def do_page_action(
        self, request: HttpRequest, queryset: QuerySet[Any], name: str, *, asks: str, most: int
    ) -> HttpResponse | None:
        """The page action `name`, whose action of the list is called `<name>_selected`."""

        def act(row: Any) -> str:
            if refusal := self.refusals(row).get(name):
                raise APIException(refusal)
            return str(getattr(self, name)(request, row))

        return self.do_selected(request, queryset, f"{name}_selected", act, asks=asks, most=most)
