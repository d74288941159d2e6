from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.views import APIView


class IndexView(APIView):
    """What this server is, and how to call it, with commands for the address it was asked at."""

    permission_classes = ()  # for everybody

    def get(self, request: Request) -> HttpResponse:
        here = f"{request.scheme}://{request.get_host()}"
        # Somebody who put the admin elsewhere does not want everybody to know where.
        known = settings.ADMIN_URL == "admin/"
        return render(request._request, "index.html", {"here": here, "links_admin": known})


class ReadmeView(APIView):
    """The README of exactly this version, as the text that it is."""

    permission_classes = ()  # for everybody

    def get(self, request: Request) -> FileResponse:
        text = (settings.BASE_DIR / "README.md").open("rb")
        return FileResponse(text, content_type="text/plain; charset=utf-8")


def nothing_here(request: HttpRequest) -> HttpResponse:
    raise Http404
