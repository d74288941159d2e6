"""The ten things of docs/clients.md, run as they stand there, in one shell."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.api_client import Program
from tests.server_process import ROOT, Server, free_port
from tests.test_api_meetings import eventually, monitor

PROGRAMS = ["bash", "curl", "jq"]
DOCUMENT = (ROOT / "docs" / "clients.md").read_text()
(SECTION,) = re.findall(r"(?ms)^## Ten things that programs do$(.+?)^## ", DOCUMENT)
PYTHON = r"(?ms)^```python$\n(.+?)^```$"
END = "--- end ---"


class Shell:
    """Runs one piece after the other, up to the first command that fails."""

    def __init__(self, folder):
        found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"], cwd=folder, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"PATH": found, "no_proxy": "*"},
        )  # fmt: skip

    def run(self, piece):
        """What it writes."""
        self.process.stdin.write(f"{piece}\nprintf '\\n{END}\\n'\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.strip() == END:
                return "".join(lines).strip()
            lines.append(line)
        raise AssertionError(f"{piece} has failed: {''.join(lines)}")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def server(opentok, transactional_db):
    """One that sends webhooks, and hears who comes and goes."""
    own = {"WEBHOOK_ALLOW_PRIVATE": "on", "WORKER": "on"}
    with Server(OPENTOK_API_URL=opentok.url, **own) as server:
        monitor(opentok, f"{server.url}/callbacks")
        yield server


@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason=f"needs {', '.join(PROGRAMS)}")
def test_the_ten_things_of_the_documentation_work_as_they_stand_there(server, opentok, tmp_path):
    program = Program(server, can="manage,moderate")
    port = str(free_port())
    section = SECTION
    for written, here in {
        "http://localhost:8080": server.url, "otr_…": program.key.text, "9000": port,
    }.items():  # fmt: skip
        assert written in section
        section = section.replace(written, here)
    (tmp_path / "receiver.py").write_text(re.search(PYTHON, section)[1])
    preparations, *things = [
        "".join(re.findall(r"(?ms)^```sh$\n(.+?)^```$", part))
        for part in re.split(r"(?m)^### \d+\. ", section)
    ]
    (make, invite, token, look, moderate, record, find, share, hear, attend) = things

    with Shell(tmp_path) as shell:
        shell.run(preparations)
        room = json.loads(shell.run(make))
        assert (room["name"], room["maxParticipants"]) == ("exam", 30)

        link = shell.run(invite)
        assert requests.get(link, timeout=30).status_code == 200
        invitation = {"Authorization": f"Bearer {link.partition('#')[2]}"}
        assert server.get("/room/exam", headers=invitation).status_code == 200

        assert json.loads(shell.run(token))["sessionId"] == room["sessionId"]
        there = {name: connect(opentok, room["sessionId"], name) for name in ("Ada", "Ben")}
        eventually(lambda: people(program), ["Ada", "Ben"])
        assert re.findall(r"(?m)^(\w+) since 20", shell.run(look)) == ["Ada", "Ben"]

        shell.run(moderate)
        eventually(lambda: people(program), ["Ada"])
        assert there["Ben"] not in {
            each["connectionId"] for each in program.get("rooms/exam/connections").json()["items"]
        }

        assert shell.run(record).split() == ["started", "stopped"]
        (recording,) = program.get("archives").json()["items"]
        assert shell.run(find).startswith(f"{recording['id']} ")
        opentok.advance(60)
        file = requests.get(shell.run(share), timeout=30)
        assert file.headers["Content-Type"] == "video/mp4"

        said = [shell.run(hear)]
        eventually(lambda: said.append(shell.run("")) or "ping {" in "".join(said), True)
        forged = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,forged"}
        with pytest.raises(requests.ConnectionError):
            requests.post(f"http://127.0.0.1:{port}/", data="{}", headers=forged, timeout=30)
        assert "WebhookVerificationError" in shell.run("kill $!; wait $! || true")

        header, *rows = csv.reader(shell.run(attend).lstrip("\ufeff").splitlines())
        assert [row[header.index("Name")] for row in rows] == ["Ada", "Ben"]


def connect(opentok, session, name):
    path, data = f"/sessions/{session}/connections", json.dumps({"name": name})
    return opentok.control("POST", path, {"data": data})["connectionId"]


def people(program):
    return [each["name"] for each in program.get("rooms/exam/presence").json()["items"]]
