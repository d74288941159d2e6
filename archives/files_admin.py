"""Views of a recording's files for staff, by links that are signed at each request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import APIException

from archives.columns import clock
from archives.models import Archive
from video import transcripts
from video.answers import Remote

# What browsers name a request of a player.
PLAYERS = {"video", "audio"}
NO_FILE = "There is no file to open now."
FindLink = Callable[[Remote], str | None]

NO_TRANSCRIPT = "There is no transcript to read now."


class RecordingFiles(ModelAdmin):
    def get_urls(self) -> Any:
        views = {"watch": self.watch, "download": self.download, "transcript": self.transcript,
                 "transcript_file": self.transcript_file}  # fmt: skip
        urls = [
            path(
                f"<uuid:archive_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(never_cache(view)),
                name=name,
            )
            for name, view in views.items()
        ]
        return [*urls, *super().get_urls()]

    def files_of(self, archive: Archive) -> dict[str, Any]:
        """Context of a recording's page: links to its file, and whether browsers can play it."""
        if not archive.is_watchable:
            return {}
        views = ["watch", "download"] if archive.has_copy else ["watch"]
        links = {name: reverse(f"admin:{name}", args=[archive.pk]) for name in views}
        return links | {"is_video": archive.is_video}

    def watch(self, request: HttpRequest, archive_id: UUID) -> HttpResponse:
        """Redirect to the file."""
        return self._redirect(request, archive_id, Archive.objects.link, missing=NO_FILE)

    def download(self, request: HttpRequest, archive_id: UUID) -> HttpResponse:
        """Redirect to the file in the own storage, by a link that has browsers save it. OpenTok's
        links are signed without a Content-Disposition.
        """
        return self._redirect(request, archive_id, _link_to_save, missing=NO_FILE)

    def transcript(self, request: HttpRequest, archive_id: UUID) -> HttpResponse:
        """A page with the transcript."""
        try:
            remote = self._fetch(request, archive_id)
            link = Archive.objects.transcript_link(remote)
            lines = transcripts.download(link) if link else []
        except APIException as error:
            return self._back(request, archive_id, str(error.detail))
        if not link:
            return self._back(request, archive_id, NO_TRANSCRIPT)
        archive = Archive.objects.get(pk=archive_id)
        context = self.admin_site.each_context(request) | {
            "title": f"Transcript of {archive.made_in or archive}",
            "opts": self.opts,
            "archive": archive,
            "lines": [(_time(line), line) for line in lines],
            "is_cut_off": len(lines) == transcripts.MAX_LINES,
            "language": (transcripts.about(remote) or {}).get("primaryLanguageCode"),
        }
        return TemplateResponse(request, "admin/archives/archive/transcript.html", context)

    def transcript_file(self, request: HttpRequest, archive_id: UUID) -> HttpResponse:
        """Redirect to the file of the transcript."""
        find = Archive.objects.transcript_link
        return self._redirect(request, archive_id, find, missing=NO_TRANSCRIPT)

    def _redirect(
        self, request: HttpRequest, archive_id: UUID, find: FindLink, *, missing: str
    ) -> HttpResponse:
        try:
            link = find(self._fetch(request, archive_id))
        except APIException as error:
            return self._back(request, archive_id, str(error.detail), status=error.status_code)
        return HttpResponseRedirect(link) if link else self._back(request, archive_id, missing)

    def _fetch(self, request: HttpRequest, archive_id: UUID) -> Remote:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if self.get_object(request, str(archive_id)) is None:
            raise Http404
        return Archive.objects.fetch(str(archive_id))

    def _back(
        self, request: HttpRequest, archive_id: UUID, why: str, *, status: int = 404
    ) -> HttpResponse:
        """Redirect to the recording's page, with the reason. A player, which shows no page, gets
        the status.
        """
        if request.headers.get("Sec-Fetch-Dest") in PLAYERS:
            return HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
        self.message_user(request, why, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:archives_archive_change", args=[archive_id]))


def _link_to_save(remote: Remote) -> str | None:
    archive = Archive.objects.get(pk=remote["id"])
    return archive.link_to_stored(is_to_save=True) if archive.has_copy else None


def _time(line: transcripts.Line) -> str:
    return "" if line.start is None else clock(timedelta(milliseconds=line.start))
