"""Jobs that requests leave for the worker. django-tasks keeps them in the database and runs them;
trying again is ours.

A job may be run twice, and takes ten minutes at most: what takes longer does a part and leaves the
rest to another job.
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

# 10 s, 40 s, 3 min, 11 min, 43 min, 3 h and 11 h after the one before.
ATTEMPTS = 8
PAUSES = [timedelta(seconds=10 * 4**attempt) for attempt in range(ATTEMPTS - 1)]
# After that a job which runs still was in a worker that has died.
LOST_AFTER = timedelta(minutes=15)
KEPT_DAYS, FAILED_KEPT_DAYS = 1, 30


def run_jobs() -> None:
    """All that are due, one after the other. Several workers share them."""
    _take_up()
    if DBTaskResult.objects.ready().exists():  # the library's look for one locks all of SQLite
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
    """What a worker has left that died: jobs that seem to run, and failures that nobody settled,
    which the library has stored with a traceback of many lines.
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
    """Have a job tried later, and later each time; after the last attempt it counts as failed.

    The log has all of the reason. What stays here may quote no secret.
    """
    changes: dict[str, Any] = {
        "status": TaskResultStatus.FAILED,
        "finished_at": timezone.now(),
        "traceback": without_secrets(reason),
    }
    if attempts < ATTEMPTS:
        later = timezone.now() + PAUSES[max(attempts, 1) - 1]
        changes |= {"status": TaskResultStatus.READY, "run_after": later, "finished_at": None}
    # Another worker may have settled it, and a third one begun.
    unsettled = [TaskResultStatus.RUNNING, TaskResultStatus.FAILED]
    DBTaskResult.objects.filter(pk=pk, status__in=unsettled).update(**changes)


def counts() -> dict[str, int]:
    """How many there are in each state, but of those that were done."""
    found = DBTaskResult.objects.order_by().exclude(status=TaskResultStatus.SUCCESSFUL)
    told = dict(found.values_list("status").annotate(Count("pk")))
    states = [TaskResultStatus.READY, TaskResultStatus.RUNNING, TaskResultStatus.FAILED]
    return {state.lower(): told.get(state, 0) for state in states}


def longest_wait() -> timedelta:
    """Of the jobs that are due, and that no worker has taken."""
    # One that was to be done at once says so by a time that never comes.
    began = models.Case(
        models.When(run_after=get_date_max(), then="enqueued_at"), default="run_after"
    )
    first = DBTaskResult.objects.ready().aggregate(first=models.Min(began))["first"]
    return timezone.now() - first if first else timedelta()
