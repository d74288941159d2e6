"""A small OpenID Connect provider on this machine. Whoever comes is logged in there at once."""

import base64
import json
import secrets
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "rooms", "tests-only-client-secret"


class OpenIDProvider:
    """Knows one person, `claims`. With `broken` it fails at that path."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.broken = ""
        self.challenges: dict[str, str] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, b"")

            def do_POST(self) -> None:
                provider.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *about: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.http.shutdown()
        self.http.server_close()

    def variables(self) -> dict[str, str]:
        return {
            "OIDC_SERVER_URL": self.url,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }

    def log_in(self, address: str) -> str:
        """What the person's browser gets at `address`: the way back to the server."""
        sent = parse_qs(urlsplit(address).query)
        assert sent["client_id"] == [CLIENT_ID]
        code = secrets.token_hex(8)
        self.challenges[code] = sent["code_challenge"][0]
        return f"{sent['redirect_uri'][0]}?code={code}&state={sent['state'][0]}"

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(handler.path).path
        found = None if path == self.broken else self.content(path, handler, body)
        handler.send_response(500 if found is None else 200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(json.dumps(found).encode())

    def content(self, path: str, handler: BaseHTTPRequestHandler, body: bytes) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url} | {
                name: f"{self.url}/{name}"
                for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint",
                             "jwks_uri")
            }  # fmt: skip
        if path == "/token_endpoint":
            return self.token(parse_qs(body.decode()))
        if path == "/userinfo_endpoint" and handler.headers["Authorization"] == "Bearer access":
            return self.claims
        return None

    def token(self, sent: dict[str, list[str]]) -> dict[str, Any] | None:
        hashed = sha256(sent["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if self.challenges.pop(sent["code"][0], None) != challenge:
            return None
        if sent["client_secret"] != [CLIENT_SECRET]:
            return None
        claims = {"iss": self.url, "aud": CLIENT_ID, "exp": 2**32, "iat": 0, **self.claims}
        signed = jwt.encode(claims, "of-no-matter-as-it-comes-from-the-provider", "HS256")
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}
