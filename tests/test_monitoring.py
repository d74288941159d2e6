"""The dashboard and the alerts ask for metrics that a server has, by labels that these have."""

import json
import re
import shutil
import subprocess
from collections import namedtuple

import pytest
import yaml

from ops import disk
from ops.doctor import stored
from tests.server_process import ROOT
from tests.test_metrics import samples

FOLDER = ROOT / "monitoring"
NAME = r"\b(rooms_[a-z_]+)(?:\{([^}]*)\})?"
Query = namedtuple("Query", "where text")
# Only with a storage, and only of a database whose disk this machine sees.
SOMETIMES = {"rooms_archives_lost_soon", "rooms_disk_bytes", "rooms_disk_free_bytes"}


def queries():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    for panel in board["panels"]:
        yield from (Query(panel["title"], target["expr"]) for target in panel["targets"])
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        yield from (Query(rule["alert"], rule["expr"]) for rule in group["rules"])


def test_each_query_asks_for_what_a_server_has(server):
    server.get("/room/standup")
    server.get("/archive/x")
    known = {}
    for name, *labels in samples(server):
        known.setdefault(name, set()).update(label for label, _ in labels)
    asked = list(queries())
    assert len(asked) > 20
    for query in asked:
        names = dict(re.findall(NAME, query.text))
        assert names or query.text.startswith("up{"), query
        for name, chosen in names.items():
            assert name in known or name in SOMETIMES, query
            used = set(re.findall(r"(\w+)(?:=~|!=|=)", chosen))
            assert used <= known.get(name, used), query
        grouped = re.search(r"by \(([^)]*)\)", query.text)
        wanted = {label.strip() for label in grouped[1].split(",")} if grouped else set()
        assert wanted <= set().union(*(known.get(name, wanted) for name in names)), query


def test_each_alert_says_what_to_do():
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert rule["annotations"].keys() == {"summary", "action"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian: apt-get install prometheus")
def test_promtool_takes_the_rules():
    command = ["promtool", "check", "rules", FOLDER / "alerts.yml"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_dashboard_has_a_panel_in_each_place_once():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(places)) == len(set(ids)) == len(board["panels"]) == 12


def test_a_disk_that_is_nearly_full_is_told(db, monkeypatch):
    for free, level in ((5, "warning"), (50, "ok")):
        monkeypatch.setattr(stored, "storage_use", lambda free=free: disk.Use(1, 100, free))
        (told,) = stored.disk()
        assert (told.level, f"{free}%" in told.message) == (level, True)
