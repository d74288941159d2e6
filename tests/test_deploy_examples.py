"""The examples in deploy/ are what their programs take, and name what there is."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.server_process import ROOT
from web.version import VERSION

FOLDER = ROOT / "deploy"


def read(name):
    return (FOLDER / name).read_text()


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("nginx"), reason="Debian: apt-get install nginx-light")
def test_nginx_takes_its_site(tmp_path):
    certificate = tmp_path / "certificate.pem"
    run(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        "/CN=rooms.example.com",
        "-keyout",
        certificate,
        "-out",
        tmp_path / "public.pem",
    )
    certificate.write_text(certificate.read_text() + (tmp_path / "public.pem").read_text())
    site = re.sub(r"(ssl_certificate(?:_key)?) [^;]+;", rf"\1 {certificate};", read("nginx.conf"))
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off; {site} }}\n"
    )
    assert "test is successful" in run("nginx", "-t", "-c", file)


@pytest.mark.skipif(not shutil.which("caddy"), reason="Debian: caddy")
def test_caddy_takes_its_file():
    run("caddy", "validate", "--adapter", "caddyfile", "--config", FOLDER / "Caddyfile")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_its_unit(tmp_path):
    unit = read("opentok-rooms.service").replace(
        "/opt/opentok-rooms/.venv/bin/python", sys.executable
    )
    file = tmp_path / "opentok-rooms.service"
    file.write_text(unit)
    assert "opentok-rooms.service" not in run("systemd-analyze", "verify", file)


def test_kubernetes_gets_the_release_its_commands_and_its_probes():
    documents = list(yaml.safe_load_all(read("kubernetes.yaml")))
    assert [each["kind"] for each in documents] == ["Job", "Deployment", "Deployment", "Service"]
    migrate, server, worker, service = documents
    for deployment in server, worker:
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
    for started in migrate, server, worker:
        for container in started["spec"]["template"]["spec"]["containers"]:
            assert container["image"].endswith(f":{VERSION}")
            if command := container.get("command"):
                run(sys.executable, ROOT / command[1], command[2], "--help")
    assert service["spec"]["selector"] == server["spec"]["template"]["metadata"]["labels"]
    (container,) = server["spec"]["template"]["spec"]["containers"]
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["containerPort"]


def test_the_examples_name_variables_that_there_are():
    known = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    for file in FOLDER.iterdir():
        named = set(re.findall(r"\b([A-Z][A-Z_]{5,})\b(?==|,|:)", file.read_text()))
        assert named <= known, file
