"""Jobs for those who look after the server: what waits, what failed and why, and once more."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from archives.columns import moment
from staff.large_tables import LargeTableAdmin, ReadOnly
from staff.page_actions import PageActions, page_action

admin.site.unregister(DBTaskResult)


@admin.display(description="Job")
def name(job: DBTaskResult) -> str:
    """Such as “Mail links”."""
    return capfirst(job.task_name.replace("_", " "))


# Else the name of the library's class and an id.
DBTaskResult.__str__ = name  # type: ignore[method-assign, assignment]


@admin.display(description="Attempts")
def attempts(job: DBTaskResult) -> str:
    return str(len(job.worker_ids))


@admin.display(description="Next attempt")
def next_attempt(job: DBTaskResult) -> str:
    if job.status != TaskResultStatus.READY:
        return "–"
    return moment(job.enqueued_at if job.run_after == get_date_max() else job.run_after)


@admin.display(description="Last failure")
def last_failure(job: DBTaskResult) -> str:
    return job.traceback or "–"


@admin.register(DBTaskResult)
class JobAdmin(ReadOnly, PageActions, LargeTableAdmin):
    list_display = [name, "status", "enqueued_at", attempts, next_attempt, last_failure]
    list_filter = ["status"]
    ordering = ["-enqueued_at"]
    sortable_by = ()
    fields: ClassVar[Any] = [
        name, "status", "enqueued_at", "started_at", "finished_at", attempts, next_attempt,
        last_failure,
    ]  # fmt: skip
    readonly_fields = fields
    page_actions: ClassVar[list[str]] = ["try_again"]

    def refusals(self, row: DBTaskResult) -> dict[str, str]:
        is_over = row.status in {TaskResultStatus.RUNNING, TaskResultStatus.SUCCESSFUL}
        return {"try_again": f"The job is {row.get_status_display().lower()}."} if is_over else {}

    @page_action(label="Try again", permission="django_tasks_database.change_dbtaskresult")
    def try_again(self, request: HttpRequest, job: DBTaskResult) -> str:
        waiting = DBTaskResult.objects.filter(
            pk=job.pk, status__in=[TaskResultStatus.READY, TaskResultStatus.FAILED]
        )
        waiting.update(
            status=TaskResultStatus.READY, run_after=timezone.now(), finished_at=None, worker_ids=[]
        )
        return "The job is tried again within a second, if a worker runs."
