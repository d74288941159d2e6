from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django_tasks_db.apps import TasksAppConfig


class OpsConfig(AppConfig):
    name = "ops"
    verbose_name = "Operation"

    def ready(self) -> None:
        # Registers the start-up checks, and what follows jobs.
        from ops import checks, deletions, jobs  # noqa: F401

        deletions.add_filters()


class JobsConfig(TasksAppConfig):
    """The library's, in our words."""

    verbose_name = "Background jobs"

    def ready(self) -> None:
        super().ready()
        meta = self.get_model("DBTaskResult")._meta
        meta.verbose_name, meta.verbose_name_plural = "job", "jobs"


class DashboardConfig(AdminConfig):
    """Django's admin, with our first page."""

    default_site = "ops.dashboard.Site"
