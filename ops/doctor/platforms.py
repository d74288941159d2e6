"""The platform on which this server runs, for `manage.py doctor`."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ops.doctor.finding import Finding

# Docker makes it in each container.
DOCKER = "/.dockerenv"


@dataclass(frozen=True)
class Platform:
    """`sign` is a variable or a file of the platform; `host_name` is a template of variables.

    `proxies` is how many addresses its proxies add to X-Forwarded-For; None if that varies. `loss`
    is the level of the finding that SQLite's file is on the disk of the container; None if the disk
    is permanent. `unit` is the platform's word for what runs WEB_CONCURRENCY processes.
    """

    name: str
    sign: str
    unit: str
    setting: str
    running: str
    prefix: str = ""
    host_name: str = ""
    proxies: int | None = None
    loss: Literal["error", "warning"] | None = None
    disk: str = ""
    note: str = ""

    def is_here(self) -> bool:
        if self.sign.startswith("/"):
            return Path(self.sign).exists()
        return bool(os.environ.get(self.sign, "").strip())

    def own_host_name(self) -> str:
        """The host name that the platform gives to this server; empty if unknown."""
        try:
            return self.host_name.format_map(os.environ)
        except KeyError:
            return ""

    def with_its_ways(self, found: Finding) -> Finding:
        ways = []
        if found.variables:
            variables = " ".join(f"{self.prefix}{variable}" for variable in found.variables)
            ways.append(self.setting.format(variables))
        if found.command:
            ways.append(self.running.format(found.command))
        return replace(found, remedy=" ".join([found.remedy, *ways]).strip())


# The first one whose sign is there counts. Each row has its sources.
PLATFORMS = [
    # https://devcenter.heroku.com/articles/dynos (DYNO), /dyno-metadata (the domain, if that is
    # enabled), /http-routing and /request-timeout. ops/checks.py refuses SQLite there.
    Platform(
        name="Heroku",
        sign="DYNO",
        unit="dyno",
        setting="On Heroku: `heroku config:set {}`.",
        running="On Heroku: `heroku run {}`.",
        host_name="{HEROKU_APP_DEFAULT_DOMAIN_NAME}",
        proxies=1,
        note="Its router gives up on a request after 30 seconds, which is longer than "
        "OPENTOK_TIMEOUT can be.",
    ),
    # https://render.com/docs/environment-variables, /docs/disks. Cloudflare is in front of it.
    Platform(
        name="Render",
        sign="RENDER",
        unit="instance",
        setting="On Render, page Environment of the service in the dashboard: {}",
        running="On Render, page Shell of the service in the dashboard: `{}`",
        host_name="{RENDER_EXTERNAL_HOSTNAME}",
        proxies=2,
        loss="error",
        disk="Use Render Postgres, or add a disk to the service and put the file there.",
        note="A service with a disk runs in one instance, and is away for some seconds at each "
        "deploy.",
    ),
    # https://docs.railway.com/variables/reference, /cli/run: `railway run` runs on your machine.
    Platform(
        name="Railway",
        sign="RAILWAY_PROJECT_NAME",
        unit="replica",
        setting="On Railway, page Variables of the service: {}",
        running="On Railway: `railway ssh -- {}`.",
        host_name="{RAILWAY_PUBLIC_DOMAIN}",
        proxies=1,
        loss="error",
        disk="Add PostgreSQL to the project, or attach a volume and put the file there.",
        note="railway.json sets SECURE_SSL_REDIRECT and TRUSTED_PROXIES for the server alone: as "
        "variables of the service this command sees them too.",
    ),
    # https://fly.io/docs/machines/runtime-environment, /docs/networking/request-headers: the last
    # address in X-Forwarded-For is the app's own, and the client's is before it.
    Platform(
        name="Fly.io",
        sign="FLY_APP_NAME",
        unit="Machine",
        setting="On Fly.io: `fly secrets set {}`.",
        running="On Fly.io: `fly ssh console -C '{}'`.",
        host_name="{FLY_APP_NAME}.fly.dev",
        proxies=2,
        loss="error",
        disk="Use PostgreSQL, or a volume with one Machine (`fly scale count 1`): each Machine "
        "has a disk of its own.",
        note="Set kill_timeout = 30 in fly.toml, so that requests can end at a deploy.",
    ),
    # https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    Platform(
        name="Kubernetes",
        sign="KUBERNETES_SERVICE_HOST",
        unit="Pod",
        setting="On Kubernetes: `kubectl set env deployment/opentok-rooms {}`, or the Secret.",
        running="On Kubernetes: `kubectl exec deployment/opentok-rooms -- {}`.",
        loss="error",
        disk="Use PostgreSQL: each Pod has a disk of its own.",
    ),
    # https://docs.docker.com/reference/cli/docker/container/run
    Platform(
        name="Docker",
        sign=DOCKER,
        unit="container",
        setting="With Docker: `docker run {} …`, or a line in the file for `--env-file`.",
        running="With Docker: `docker exec CONTAINER {}`.",
        prefix="-e ",
        loss="warning",
        disk="Use PostgreSQL, or `docker run -v` with a volume for the folder of the file.",
        note="Run it with `--stop-timeout 30`, so that requests can end.",
    ),
]
MACHINE = Platform(
    name="A machine of its own",
    sign="",
    unit="machine",
    setting="Here, in `.env` or as `Environment=` in the unit file, before a restart: {}",
    running="",
)


def current() -> Platform:
    return next((platform for platform in PLATFORMS if platform.is_here()), MACHINE)
