"""`python -m emulator`: read the command line and serve."""

from __future__ import annotations

import argparse
import os
import re
import signal
import ssl
import sys
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from emulator import tls
from emulator.api import Api
from emulator.archive_file import ArchiveFile
from emulator.auth import DEMO_API_KEY, DEMO_SECRET, Keys
from emulator.browser.hubs import Hubs
from emulator.browser.pages import Pages
from emulator.browser.session_info import SessionInfo
from emulator.callbacks import KINDS, Callbacks, Hook
from emulator.clock import MAX_SPEED, VirtualClock
from emulator.control import Control
from emulator.downloads import Downloads, Links
from emulator.events import Events
from emulator.faults import Faults
from emulator.fields import read_web_address
from emulator.messages import BadInput
from emulator.request_log import RequestLog
from emulator.server import LocalServer
from emulator.world import World


def main() -> None:
    parser = make_parser()
    options = parser.parse_args()
    if (options.application_id is None) != (options.public_key is None):
        parser.error("--application-id and --public-key go together")
    if options.tls_key is not None and options.tls_cert is None:
        parser.error("--tls-key goes with --tls-cert")
    try:
        options.tls = read_tls(options.tls_cert, options.tls_key)
    except OSError as error:
        sys.exit(f"Cannot use {options.tls_cert}: {error.strerror or error}")
    try:
        server = make_server(options)
    except OSError as error:
        sys.exit(f"Cannot listen on {options.host}, port {options.port}: {error.strerror}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end(server))
    print(f"Local OpenTok listening on {server.url}", flush=True)
    server.serve_forever()


def make_server(options: argparse.Namespace) -> LocalServer:
    """Raises OSError when the address is taken or not ours."""
    clock = VirtualClock(options.speed)
    keys = Keys(
        options.api_key,
        options.secret,
        options.application_id,
        options.public_key,
        strict_expiry=options.strict_expiry,
        second_secret=options.second_secret,
        ahead=lambda: clock.ahead,
    )
    links = Links()
    callbacks = Callbacks(Hook(dict(options.callback_url), options.callback_secret))
    world = World(
        keys,
        clock,
        processing_ms=int(options.processing_seconds * 1000),
        auto_connect=options.auto_connect,
        archive_file=ArchiveFile(options.keep),
    )
    pages = Pages(world, Hubs(keys, world).enter, return_seconds=options.return_seconds)
    control = Control(world, Faults(), RequestLog(), callbacks, pages)
    address = (options.host, options.port)
    api, downloads = Api(keys, world, links, callbacks), Downloads(world, links)
    server = LocalServer(
        address,
        api,
        downloads,
        control,
        SessionInfo(keys, world),
        pages,
        verbose=options.verbose,
        link_host=options.link_host,
        tls=options.tls,
    )
    world.observe(Events(world, callbacks, links, server.url))
    world.restore()
    threading.Thread(target=callbacks.deliver, args=[world], daemon=True).start()
    return server


def read_tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    return tls.own_certificate(certificate) if key is None else tls.context(certificate, key)


def end(server: LocalServer) -> None:
    """Everything is saved already, and threads may be waiting on purpose: leave at once."""
    server.pages.goodbye()
    os._exit(0)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="A local OpenTok: sessions, client tokens and archives over the real protocol. "
        "For development and tests; emulator/README.md describes its control API.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=port, default=8081, help="port to listen on, 0 for any free one")
    add("--link-host", help="host that download links name; control is for this machine alone then")
    add("--api-key", type=digits, default=DEMO_API_KEY, help="API key of the OpenTok project")
    add("--secret", type=filled, default=DEMO_SECRET, help="secret of the OpenTok project")
    add("--second-secret", type=filled, help="also accept this one, as while a secret changes")
    add("--application-id", type=application, help="also accept this Vonage application")
    add("--public-key", type=public_key, metavar="PATH", help="its public key, a PEM file")
    add(
        "--auto-connect",
        action="store_true",
        help="every session always counts as having one client connected and publishing",
    )
    add(
        "--processing-seconds",
        type=seconds,
        default=5,
        help="how long after its stop an archive becomes available",
    )
    add(
        "--return-seconds",
        type=seconds,
        default=8,
        help="how long a browser whose connection broke may take to come back",
    )
    add("--speed", type=speed, default=1, help="how fast time goes by for archives and links")
    add(
        "--callback-url",
        type=callback_url,
        action="append",
        default=[],
        metavar="[KIND=]URL",
        help="where to POST each state of an archive to; with a kind, callbacks of that kind: "
        f"{', '.join(KINDS)}",
    )
    add("--callback-secret", default="", help="sign these callbacks with it")
    add("--keep", type=Path, metavar="PATH", help="keep archives in this file, for the next run")
    add(
        "--strict-expiry",
        action="store_true",
        help="refuse tokens that expire more than 5 minutes ahead, as documented",
    )
    add(
        "--tls-cert",
        type=Path,
        metavar="PATH",
        help="serve https with this certificate (PEM); without a key, a new one is made there",
    )
    add("--tls-key", type=Path, metavar="PATH", help="the certificate's key (PEM)")
    add("--verbose", action="store_true", help="log each request to standard error")
    return parser


def port(text: str) -> int:
    return number_between(text, 0, 65535, whole=True)


def seconds(text: str) -> float:
    return number_between(text, 0, 72 * 3600, whole=False)


def speed(text: str) -> float:
    return number_between(text, 0, MAX_SPEED, whole=False)


def number_between(text: str, low: int, high: int, *, whole: bool) -> int:
    value = int(text) if whole else float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"is {low} to {high}")
    return value  # type: ignore[return-value]


def digits(text: str) -> str:
    if not re.fullmatch("[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError("an API key is a number")
    return text


def filled(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("a secret is not empty")
    return text


def callback_url(text: str) -> tuple[str, str]:
    kind, is_named, url = text.partition("=")
    if not (is_named and kind in KINDS):
        kind, url = "archive", text
    try:
        return kind, read_web_address(url)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def application(text: str) -> str:
    if not re.fullmatch("[0-9A-Za-z-]{1,64}", text):
        raise argparse.ArgumentTypeError("an application's id is a UUID")
    return text.lower()


def public_key(text: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(Path(text).read_bytes())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"no public key in {text}: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise argparse.ArgumentTypeError(f"the key in {text} is not an RSA key")
    return key


if __name__ == "__main__":
    main()
