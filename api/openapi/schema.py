"""What drf-spectacular is to make of our addresses, keys and errors."""

from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from access.capabilities import Capability
from api.openapi import api, archives, rooms  # noqa: F401  registers their descriptions
from api.openapi.codes import every_code

DESCRIPTION = Path(__file__).with_name("description.md")
DESCRIBED = ("/session", "/room/", "/archive", "/api/v1/")

# What comes with each problem of this status.
HEADERS: dict[str, dict[str, Any]] = {
    "429": {
        "Retry-After": {
            "schema": {"type": "integer", "minimum": 1},
            "description": "Seconds until the limit admits more.",
            "required": True,
        },
        "RateLimit-Policy": {
            "schema": {"type": "string"},
            "description": "The limit's name, how many it admits, and in how many seconds.",
            "example": '"join";q=600;w=60',
            "required": True,
        },
        "RateLimit": {
            "schema": {"type": "string"},
            "description": "The limit's name, how many are left, and seconds until there are more.",
            "example": '"join";r=0;t=42',
            "required": True,
        },
    }
}

# Path, its pattern, method and view.
Endpoint = tuple[str, str, str, Any]


class AutoSchema(openapi.AutoSchema):
    """Says first what an operation needs, and which headers a problem has; an answer to HEAD has
    no body.
    """

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation: Any = super().get_operation(*args, **kwargs)
        needs = f"Needs `{_needed_by(self.view)}`."
        operation["description"] = f"{needs} {operation.get('description', '')}".strip()
        for status, headers in HEADERS.items():
            if response := operation["responses"].get(status):
                response["headers"] = headers
        if self.method == "HEAD":
            for response in operation["responses"].values():
                response.pop("content", None)
        return operation


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "otr_…"}

    def get_security_requirement(self, auto_schema: openapi.AutoSchema) -> Any:
        """A key, or nothing at all where everybody may do this."""
        everybody = _needed_by(auto_schema.view) in settings.ANONYMOUS_ACCESS
        return [{self.name: []}, {}] if everybody else {self.name: []}


def _needed_by(view: Any) -> Capability:
    needed: Capability = view.needs[view.action] if isinstance(view.needs, dict) else view.needs
    return needed


# Its hooks, named in the settings


def described(endpoints: list[Endpoint]) -> list[Endpoint]:
    """The API and no pages, without the slash at the end that each address allows; HEAD as well,
    where it is more than a GET without a body.

    By the tables of the views: the endpoints come in another order in each process.
    """
    found = {}
    for path, pattern, _, view in endpoints:
        if path.startswith(DESCRIBED):
            for method, action in view.actions.items():
                # Django adds a HEAD for each GET once that was asked for.
                if method != "head" or action != view.actions["get"]:
                    found[path, method] = (path.rstrip("/"), pattern, method.upper(), view)
    return list(found.values())


def with_codes(result: dict[str, Any], **context: Any) -> dict[str, Any]:
    """Tell of every code that an error can have."""
    codes = every_code()
    rows = [f"| {code.status} | `{code.code}` | {code.meaning} | {code.advice} |" for code in codes]
    table = "\n".join(rows).replace("<", "&lt;")
    text = DESCRIPTION.read_text(encoding="utf-8")
    result["info"]["description"] = text.replace("{codes}", table)
    problem = result["components"]["schemas"]["Problem"]
    problem["properties"]["code"]["enum"] = [code.code for code in codes]
    return result
