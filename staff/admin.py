"""What holds for the whole admin: the list of what staff did, and their accounts."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from django.urls import URLPattern, path

from staff.large_tables import LargeTableAdmin, ReadOnly
from staff.offered import OfferedOnly
from staff.time_zones import choose


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, LargeTableAdmin):
    """What Django itself logs; the audit log has more. For superusers, and other staff who may
    view log entries.
    """

    list_display = ["action_time", "user", "__str__"]
    list_filter = ["action_flag"]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_repr"]
    ordering = ["-id"]  # the order of action_time, with an index
    sortable_by = ()


admin.site.unregister([User, Group])


@admin.register(User)
class UserAdmin(OfferedOnly, auth.UserAdmin):
    def get_urls(self) -> list[URLPattern]:
        own = path("time-zone/", self.admin_site.admin_view(choose), name="time_zone")
        return [own, *super().get_urls()]


@admin.register(Group)
class GroupAdmin(OfferedOnly, auth.GroupAdmin):
    pass
