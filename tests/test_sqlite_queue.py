"""The queue of SQLite's transactions: config/sqlite."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from config.sqlite.base import DatabaseWrapper
from rooms.models import Room

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite"),
    pytest.mark.django_db(transaction=True),
]


def queue():
    return Path(f"{connection.settings_dict['NAME']}-queue")


def is_free():
    """Whether another process could begin a transaction at once."""
    with queue().open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_transaction_holds_the_queue_until_its_commit():
    with transaction.atomic():
        Room.objects.create(name="standup", session_id="1_x")
        assert not is_free()
    assert is_free()


def test_a_rollback_and_a_closed_connection_leave_the_queue():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert is_free()
    with suppress(InterfaceError), transaction.atomic():
        connection.close()
        assert is_free()
    with transaction.atomic():
        assert not is_free()


def test_many_writers_all_get_their_turn():
    def write(number):
        with transaction.atomic():
            Room.objects.create(name=str(number), session_id=f"1_{number}")
        connection.close()

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(write, range(64)))
    assert Room.objects.count() == 64
    assert is_free()


def test_who_waits_for_another_process_for_too_long_is_told_that_the_database_is_locked():
    options = connection.settings_dict["OPTIONS"] | {"timeout": 0.05}
    impatient = DatabaseWrapper(connection.settings_dict | {"OPTIONS": options})
    try:
        with queue().open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(OperationalError, match="locked"):
                impatient.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        impatient.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        impatient.rollback()
        impatient.set_autocommit(True)
        assert is_free()
    finally:
        impatient.close()
