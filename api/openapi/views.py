import threading
from functools import cache

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular import renderers
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.views import APIView

# drf-spectacular uses global variables, so that two concurrent generations fail.
_generating = threading.Lock()


class SchemaView(APIView):
    """The OpenAPI schema, as YAML or JSON."""

    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        asked = request.query_params.get("format", request.headers.get("Accept", ""))
        kind = "yaml" if "yaml" in asked else "json"
        with _generating:
            text = schema(kind)
        return HttpResponse(text, content_type=f"application/{kind}")


class DocsView(APIView):
    """The documentation for people, without resources of other servers."""

    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        return render(request._request, "docs.html")


@cache
def schema(kind: str) -> str | bytes:
    """The schema, cached after its first generation."""
    renderer = renderers.OpenApiYamlRenderer if kind == "yaml" else renderers.OpenApiJsonRenderer2
    return renderer().render(SchemaGenerator().get_schema(public=True))
