"""Run a command with a new SQLite file as its database: `python -m tests.on_sqlite COMMAND …`."""

import os
import subprocess
import sys
import tempfile

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="rooms-sqlite-") as folder:
        database = {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "TESTED_DATABASE": "sqlite"}
        sys.exit(subprocess.run(sys.argv[1:], env=os.environ | database, check=False).returncode)
