import threading
from functools import cache

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular import renderers
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.views import APIView

# drf-spectacular collects what it finds in its modules' globals: two generations at once fail.
_generating = threading.Lock()


class SchemaView(APIView):
    """The API as OpenAPI has it: YAML for who asks for that, else JSON."""

    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        asked = request.query_params.get("format", request.headers.get("Accept", ""))
        kind = "yaml" if "yaml" in asked else "json"
        with _generating:
            text = schema(kind)
        return HttpResponse(text, content_type=f"application/{kind}")


class DocsView(APIView):
    """The same for people, with everything that the page needs from this server."""

    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        return render(request._request, "docs.html")


@cache
def schema(kind: str) -> str | bytes:
    """Made when it is first asked for."""
    renderer = renderers.OpenApiYamlRenderer if kind == "yaml" else renderers.OpenApiJsonRenderer2
    return renderer().render(SchemaGenerator().get_schema(public=True))
