"""Background jobs. django-tasks stores them in the database and runs them; the retries are ours.

A job may run twice, and must end within ten minutes: longer work is split into several jobs.
"""

import sys
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Q
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks.base import TaskResultStatus
from django_tasks.signals import task_finished
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult, get_date_max

from video.redaction import without_secrets

# The pauses are 10 s, 40 s, 3 min, 11 min, 43 min, 3 h and 11 h.
ATTEMPTS = 8
PAUSES = [timedelta(seconds=10 * 4**attempt) for attempt in range(ATTEMPTS - 1)]
# A job that runs for longer was in a worker that has died.
LOST_AFTER = timedelta(minutes=15)
KEPT_DAYS, FAILED_KEPT_DAYS = 1, 30


def run_jobs() -> None:
    """Run all due jobs, one after the other. Several workers share them."""
    _take_up()
    if DBTaskResult.objects.ready().exists():  # the library locks all of SQLite to find one
        Worker(
            queue_names=["*"],
            excluded_queue_names=[],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(16),
        ).run()


def _take_up() -> None:
    """Settle jobs of dead workers: those that seem to run, and unsettled failures, whose traceback
    still has several lines.
    """
    lost = Q(status=TaskResultStatus.RUNNING, started_at__lt=timezone.now() - LOST_AFTER)
    failed = Q(status=TaskResultStatus.FAILED, traceback__contains="\n")
    for job in DBTaskResult.objects.filter(lost | failed).order_by():
        _settle(job.pk, len(job.worker_ids), job.exception_class_path or "Its worker died.")


@receiver(task_finished)
def try_again(task_result: Any, **signal: Any) -> None:
    if task_result.status == TaskResultStatus.FAILED:
        error = sys.exception()
        _settle(task_result.id, len(task_result.worker_ids), f"{type(error).__name__}: {error}")


def _settle(pk: Any, attempts: int, reason: str) -> None:
    """Schedule the next attempt of a job, after a longer pause each time, or let it fail for good.

    The log has the full reason. What is stored here must not quote secrets.
    """
    changes: dict[str, Any] = {
        "status": TaskResultStatus.FAILED,
        "finished_at": timezone.now(),
        "traceback": without_secrets(reason),
    }
    if attempts < ATTEMPTS:
        later = timezone.now() + PAUSES[max(attempts, 1) - 1]
        changes |= {"status": TaskResultStatus.READY, "run_after": later, "finished_at": None}
    # Another worker may have settled it, and a third one may run it.
    unsettled = [TaskResultStatus.RUNNING, TaskResultStatus.FAILED]
    DBTaskResult.objects.filter(pk=pk, status__in=unsettled).update(**changes)


def counts() -> dict[str, int]:
    """The number of jobs by state, without successful ones."""
    found = DBTaskResult.objects.order_by().exclude(status=TaskResultStatus.SUCCESSFUL)
    told = dict(found.values_list("status").annotate(Count("pk")))
    states = [TaskResultStatus.READY, TaskResultStatus.RUNNING, TaskResultStatus.FAILED]
    return {state.lower(): told.get(state, 0) for state in states}


def longest_wait() -> timedelta:
    """The longest wait of a due job."""
    # Jobs without a start time have the latest date there.
    began = models.Case(
        models.When(run_after=get_date_max(), then="enqueued_at"), default="run_after"
    )
    first = DBTaskResult.objects.ready().aggregate(first=models.Min(began))["first"]
    return timezone.now() - first if first else timedelta()
