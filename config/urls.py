import re

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, include, path, re_path
from django.views.generic import RedirectView

from api.openapi import views as openapi
from ops import health, metrics
from web import pages


def single_sign_on() -> list[URLPattern]:
    """By the names that django-allauth knows, and only with its app."""
    if not settings.SINGLE_SIGN_ON:
        return []
    # Here, since it fails to be imported without the app.
    from access import single_sign_on

    here, provider = f"{settings.ADMIN_URL}sso/", {"provider_id": single_sign_on.PROVIDER}
    return [
        path(here, single_sign_on.begin, provider, "openid_connect_login"),
        path(f"{here}callback/", single_sign_on.callback, provider, "openid_connect_callback"),
    ]


urlpatterns = [
    # First what is asked for most: Django tries one after the other.
    path("", include("rooms.urls")),
    path("", include("archives.urls")),
    path("", include("live.urls")),
    path("", include("live.samples.urls")),
    path("", pages.IndexView.as_view()),
    re_path(r"^readme/?\Z", pages.DocumentView.as_view()),
    re_path(r"^readme/(?P<path>.+?)/?\Z", pages.DocumentView.as_view()),
    re_path(r"^healthz/?\Z", health.HealthView.as_view()),
    re_path(r"^_/health/?\Z", health.HealthView.as_view(word="OK")),
    re_path(r"^readyz/?\Z", health.ReadyView.as_view()),
    re_path(r"^metrics/?\Z", metrics.MetricsView.as_view()),
    re_path(r"^api/schema/?\Z", openapi.SchemaView.as_view()),
    re_path(r"^api/docs/?\Z", openapi.DocsView.as_view()),
    path("api/v1/", include("api.urls")),
    *single_sign_on(),
    # Django's admin has these for others: no model here has a page of its own, no form completes
    # what is typed, and both fail on made-up ids.
    re_path(rf"^{re.escape(settings.ADMIN_URL)}(?:r|autocomplete)/", pages.nothing_here),
    *([path(settings.ADMIN_URL, include("access.urls"))] if settings.EMAIL_HOST else []),
    # Last, so that it takes the place of nothing; see ops/checks.py.
    path(settings.ADMIN_URL.rstrip("/"), RedirectView.as_view(pattern_name="admin:index")),
    path(settings.ADMIN_URL, admin.site.urls),
]

handler400 = "access.refusals.bad_request"
handler403 = "access.refusals.permission_denied"
handler404 = "access.refusals.not_found"
handler500 = "access.refusals.server_error"
