"""One version, wherever it is shown, and the one that the changelog describes."""

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.server_process import ROOT
from tests.test_metrics import samples
from web.version import VERSION


def test_the_changelog_describes_the_release():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(VERSION)}, \d{{4}}-\d\d-\d\d", headings[1])


def test_all_places_show_the_version(server, admin_client):
    assert server.get("/healthz").json()["version"] == VERSION
    assert samples(server)["rooms_info", ("version", VERSION)] == 1
    assert server.get("/api/schema/").json()["info"]["version"] == VERSION
    assert f"OpenTok Rooms {VERSION}</small>" in admin_client.get("/admin/").content.decode()
    assert f'"message":"OpenTok Rooms {VERSION} starts"' in server.output()


def test_the_lock_has_what_the_requirements_ask_for():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    locked = {canonicalize_name(pin.name): pin.specifier for pin in pins}
    asked = [
        Requirement(line)
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(asked) > 10
    for requirement in asked:
        (pin,) = locked[canonicalize_name(requirement.name)]
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), requirement
