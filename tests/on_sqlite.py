"""Run a command with a new SQLite file as its database: `python -m tests.on_sqlite COMMAND …`."""

import sys
import tempfile

from tests.commands import end_as_by_ctrl_c, run

if __name__ == "__main__":
    end_as_by_ctrl_c()
    with tempfile.TemporaryDirectory(prefix="rooms-sqlite-") as folder:
        url = f"sqlite:///{folder}/db.sqlite3"
        sys.exit(run(sys.argv[1:], DATABASE_URL=url, TESTED_DATABASE="sqlite"))
