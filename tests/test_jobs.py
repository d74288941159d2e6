"""What requests leave for the worker: done once, later if it fails, and not lost with a worker."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult as Job

from ops import jobs
from ops.doctor import running
from ops.models import Heartbeat
from ops.worker import DUTIES, tell_that_it_runs
from tests.server_process import ROOT, url_of_test_database
from tests.test_admin_actions import staff
from tests.test_api_meetings import eventually
from tests.test_metrics import samples

JOBS = "/admin/django_tasks_database/dbtaskresult/"
SECRET = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiI0NTk5OTk5OSJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4"


@task()
def write(path, word):
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


@task()
def fail():
    raise OSError(f"refused:\n{SECRET}")


@task()
def hang(path):
    write.call(path, "begun")
    time.sleep(3 if Path(path).with_name("quick").exists() else 60)
    write.call(path, "done")


@pytest.fixture
def paper(tmp_path):
    return tmp_path / "paper"


def the_job():
    return Job.objects.get()


def make_due():
    Job.objects.update(run_after=timezone.now())


def test_a_job_that_is_due_is_done_once_by_many_workers(transactional_db, paper):
    for number in range(20):
        write.enqueue(str(paper), number)

    def work(_):
        jobs.run_jobs()
        connection.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))
    assert sorted(map(int, paper.read_text().split())) == list(range(20))
    assert {job.status for job in Job.objects.all()} == {TaskResultStatus.SUCCESSFUL}


def test_a_job_that_fails_is_tried_again_later_and_later(transactional_db):
    fail.enqueue()
    pauses = []
    for attempt in range(1, jobs.ATTEMPTS + 1):
        jobs.run_jobs()
        jobs.run_jobs()  # not at once
        job = the_job()
        assert len(job.worker_ids) == attempt
        if attempt < jobs.ATTEMPTS:
            pauses.append(job.run_after - timezone.now())
            make_due()
    assert job.status == TaskResultStatus.FAILED
    assert pauses == sorted(pauses)
    assert timedelta(hours=14) < sum(pauses, timedelta()) < timedelta(hours=16)


def test_what_is_kept_of_a_failure_has_no_secret(transactional_db):
    fail.enqueue()
    jobs.run_jobs()
    assert "OSError: refused" in the_job().traceback
    assert SECRET not in the_job().traceback


def test_a_job_of_a_worker_that_was_killed_is_done_by_another(transactional_db, paper):
    hang.enqueue(str(paper))
    process = worker()
    eventually(lambda: paper.exists() and paper.read_text(), "begun\n", within=30)
    process.kill()
    process.wait()
    jobs.run_jobs()
    assert the_job().status == TaskResultStatus.RUNNING  # as far as anybody knows
    Job.objects.update(started_at=timezone.now() - jobs.LOST_AFTER - timedelta(seconds=1))
    paper.with_name("quick").touch()
    jobs.run_jobs()
    assert "worker died" in the_job().traceback
    make_due()
    jobs.run_jobs()
    assert the_job().status == TaskResultStatus.SUCCESSFUL
    assert paper.read_text().split() == ["begun", "begun", "done"]


def test_a_job_that_kills_each_worker_ends(transactional_db):
    write.enqueue("", "")
    Job.objects.update(
        status="RUNNING", started_at=timezone.now() - timedelta(hours=1),
        worker_ids=["w"] * jobs.ATTEMPTS,
    )  # fmt: skip
    jobs.run_jobs()
    assert the_job().status == TaskResultStatus.FAILED


def test_a_failure_that_nobody_settled_is_settled_later(transactional_db):
    fail.enqueue()
    Job.objects.update(
        status="FAILED", worker_ids=["w"], exception_class_path="builtins.OSError",
        traceback=f"Traceback\n  {SECRET}",
    )  # fmt: skip
    jobs.run_jobs()
    assert (the_job().status, the_job().traceback) == ("READY", "builtins.OSError")


def test_a_worker_that_is_told_to_stop_ends_what_it_is_at(transactional_db, paper):
    paper.with_name("quick").touch()
    hang.enqueue(str(paper))
    process = worker()
    eventually(lambda: paper.exists() and paper.read_text(), "begun\n", within=30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert paper.read_text().split() == ["begun", "done"]
    assert the_job().status == TaskResultStatus.SUCCESSFUL


def test_housekeeping_does_jobs_as_well_and_forgets_those_that_are_done(transactional_db, paper):
    write.enqueue(str(paper), "word")
    call_command("housekeeping")
    assert paper.read_text() == "word\n"
    Job.objects.update(finished_at=timezone.now() - timedelta(days=2))
    call_command("housekeeping")
    assert not Job.objects.exists()


def test_housekeeping_goes_on_after_a_duty_that_fails_and_says_which(transactional_db, monkeypatch):
    done = []

    def breaks():
        raise OperationalError("away")

    def fails():
        raise ValueError("wrong")

    def works():
        done.append(True)

    duties = [(breaks, 1), (fails, 1), (works, 1), (works, 1)]
    monkeypatch.setattr("ops.management.commands.housekeeping.DUTIES", duties)
    with pytest.raises(CommandError, match="breaks, fails") as failed:
        call_command("housekeeping")
    assert failed.value.returncode == 1
    assert done == [True]


def worker(**more):
    """The program of its own; `more` are environment variables."""
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": url_of_test_database(),
    }
    command = [sys.executable, "manage.py", "worker"]
    return subprocess.Popen(command, cwd=ROOT, env=variables | more)


# For operators


def test_jobs_are_counted_in_the_metrics_until_they_are_done(transactional_db, server, paper):
    write.enqueue(str(paper), "word")
    fail.enqueue()
    Job.objects.update(enqueued_at=timezone.now() - timedelta(hours=1))
    shown = samples(server)
    assert shown["rooms_jobs", ("status", "ready")] == 2
    assert 3600 <= shown["rooms_oldest_job_seconds",] < 3700
    jobs.run_jobs()
    assert samples(server)["rooms_jobs", ("status", "ready")] == 1
    assert samples(server)["rooms_oldest_job_seconds",] == 0
    Job.objects.filter(status="READY").update(status=TaskResultStatus.FAILED)
    assert samples(server)["rooms_jobs", ("status", "failed")] == 1


def test_doctor_says_when_no_worker_runs_and_what_failed(transactional_db):
    assert [each.level for each in running.background_jobs()] == ["ok"]
    fail.enqueue()
    Job.objects.update(enqueued_at=timezone.now() - timedelta(hours=1))
    (waits,) = running.background_jobs()
    assert (waits.level, "60 minutes" in waits.message) == ("error", True)
    Job.objects.update(status=TaskResultStatus.FAILED)
    (failed,) = running.background_jobs()
    assert (failed.level, failed.message[:8]) == ("warning", "1 failed")


@pytest.mark.parametrize(
    ("ago", "by_itself", "level"),
    [
        (None, True, "ok"), (None, False, "error"), (1, True, "ok"), (1, False, "ok"),
        (20, True, "warning"), (20, False, "error"),
    ],
)  # fmt: skip
def test_doctor_and_the_metrics_say_since_when_no_worker_runs(
    transactional_db, server, settings, ago, by_itself, level
):
    settings.WORKER = by_itself
    if ago is not None:
        tell_that_it_runs()
        tell_that_it_runs()
        Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=ago))
    (told,) = running.worker()
    assert told.level == level
    shown = samples(server)["rooms_worker_last_seen_seconds",]
    assert shown == inf if ago is None else 60 * ago <= shown < 60 * ago + 30


def test_a_worker_and_housekeeping_tell_that_they_run(transactional_db):
    assert tell_that_it_runs in dict(DUTIES)
    call_command("housekeeping")
    assert Heartbeat.objects.age() < timedelta(minutes=1)


def test_staff_see_what_failed_and_try_it_again(transactional_db, admin_client):
    fail.enqueue()
    jobs.run_jobs()
    Job.objects.update(status=TaskResultStatus.FAILED)
    listed = admin_client.get(JOBS).content.decode()
    assert "OSError: refused" in listed
    page = f"{JOBS}{the_job().pk}/"
    shown = admin_client.get(f"{page}change/").content.decode()
    assert "Try again" in shown
    assert "DBTaskResult object" not in shown
    done = admin_client.post(f"{page}act/try_again/", follow=True).content.decode()
    assert "tried again" in done
    assert Job.objects.ready().get().worker_ids == []
    Job.objects.update(status=TaskResultStatus.SUCCESSFUL)
    assert "Try again" not in admin_client.get(f"{page}change/").content.decode()


def test_staff_who_may_only_look_try_nothing_again(transactional_db):
    fail.enqueue()
    browser = staff("view_dbtaskresult")
    page = f"{JOBS}{the_job().pk}/"
    assert browser.get(f"{page}change/").status_code == 200
    assert browser.post(f"{page}act/try_again/").status_code == 403
    User.objects.update(username="other")
    assert staff().get(JOBS).status_code == 403
