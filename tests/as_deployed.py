"""Run a management command configured as a deployment: `python -m tests.as_deployed manage.py …`."""

import os
import subprocess
import sys

DEPLOYED = {
    "SECRET_KEY": "a-long-random-text-as-a-deployment-has-it-0123456789-abcdefghijk",
    "DATABASE_URL": "sqlite:////tmp/opentok-rooms-check.sqlite3",
    "TOKBOX_API_KEY": "47000001",
    "TOKBOX_SECRET": "0123456789abcdef0123456789abcdef01234567",
    "SECURE_SSL_REDIRECT": "on",
    "ALLOWED_HOSTS": "rooms.example.com",
}

if __name__ == "__main__":
    sys.exit(
        subprocess.run(
            [sys.executable, *sys.argv[1:]], env=os.environ | DEPLOYED, check=False
        ).returncode
    )
