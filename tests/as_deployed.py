"""Run a management command as configured by app.json: `python -m tests.as_deployed manage.py …`."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What whoever deploys fills in, and what Heroku and its PostgreSQL add. Nothing connects to it.
FILLED_IN = {
    "TOKBOX_API_KEY": "47000001",
    "TOKBOX_SECRET": "0123456789abcdef0123456789abcdef01234567",
}
ADDED = {"DYNO": "web.1", "DATABASE_URL": "postgres://u:p@database.example.com:5432/rooms"}


def configuration() -> dict[str, str]:
    """The environment of a server that app.json has made, and nothing of this machine's."""
    unset = re.findall("^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    asked = json.loads((ROOT / "app.json").read_text())["env"]
    generated = [name for name, about in asked.items() if about.get("generator") == "secret"]
    return {
        # A space counts as not set, and keeps what `.env` has to say out.
        **dict.fromkeys([*unset, "CI"], " "),
        **{name: about["value"] for name, about in asked.items() if "value" in about},
        **{name: secrets.token_hex(32) for name in generated},
        **FILLED_IN,
        **ADDED,
    }


if __name__ == "__main__":
    command = [sys.executable, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=os.environ | configuration(), check=False).returncode)
