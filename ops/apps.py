from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operation"

    def ready(self) -> None:
        from ops import checks  # noqa: F401  registers the start-up checks


class DashboardConfig(AdminConfig):
    """Django's admin, with our first page."""

    default_site = "ops.dashboard.Site"
