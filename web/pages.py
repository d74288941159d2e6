from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.views import APIView

from web.documents import FILES, document


class IndexView(APIView):
    """What this server is, and how to call it, with commands for the address it was asked at."""

    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        here = f"{request.scheme}://{request.get_host()}"
        # An operator who put the admin elsewhere does not want visitors to know where.
        known = settings.ADMIN_URL == "admin/"
        return render(request._request, "index.html", {"here": here, "links_admin": known})


class DocumentView(APIView):
    """README.md, or another document of exactly this version, or a picture in one."""

    permission_classes = ()

    def get(self, request: Request, path: str = "README.md") -> HttpResponse | FileResponse:
        if path not in FILES:
            raise Http404
        if path.endswith(".md"):
            return render(request._request, "document.html", {"document": document(path)})
        return FileResponse(FILES[path].open("rb"))


def nothing_here(request: HttpRequest) -> HttpResponse:
    raise Http404
