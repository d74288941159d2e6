"""Django's log of the admin, and the accounts of staff."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.urls import URLPattern, path

from staff.kept_spaces import KeepsSpaces
from staff.large_tables import LargeTableAdmin, ReadOnly
from staff.models import NamePrefix, SecondFactor
from staff.offered import OfferedOnly
from staff.page_actions import PageActions, page_action
from staff.time_zones import choose


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, LargeTableAdmin):
    """Django's own log; the audit log has more."""

    list_display = ["action_time", "user", "__str__"]
    list_filter = ["action_flag"]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_repr"]
    ordering = ["-id"]  # the order of action_time, with an index
    sortable_by = ()


admin.site.unregister([User, Group])


class NamePrefixInline(KeepsSpaces, admin.StackedInline):
    """For those who may change the user."""

    keeps_spaces: ClassVar[set[str]] = {"prefix"}
    model = NamePrefix
    extra = 1
    max_num = 20

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.change_user")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.view_user") or self.has_change_permission(request, obj)


@admin.register(User)
class UserAdmin(PageActions, OfferedOnly, auth.UserAdmin):
    inlines = [NamePrefixInline]
    # Django's pairs of boxes to choose from have no names for screen readers.
    filter_horizontal = ()
    page_actions: ClassVar[list[str]] = ["remove_second_factor"]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Not before there is a user."""
        return self.inlines if obj else []

    def get_page_actions(self, request: HttpRequest, row: Any) -> list[str]:
        names = super().get_page_actions(request, row)
        return names if names and SecondFactor.objects.of(row) else []

    @page_action(
        label="Remove the second factor",
        permission="staff.delete_secondfactor",
        asks="From then on the password alone is enough, until a second factor is set up again.",
    )
    def remove_second_factor(self, request: HttpRequest, user: User) -> str:
        if factor := SecondFactor.objects.of(user):
            factor.remove()
        return "Removed the second factor."

    def get_urls(self) -> list[URLPattern]:
        own = path("time-zone/", self.admin_site.admin_view(choose), name="time_zone")
        return [own, *super().get_urls()]


@admin.register(Group)
class GroupAdmin(OfferedOnly, auth.GroupAdmin):
    filter_horizontal = ()
