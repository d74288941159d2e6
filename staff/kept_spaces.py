"""Forms of the admin in which the spaces around a text count."""

from typing import Any, ClassVar

from django.db.models import Field
from django.http import HttpRequest


class KeepsSpaces:
    """Mixed into an admin or an inline. Without the space at its end the beginning of a name would
    be that of more rooms.
    """

    keeps_spaces: ClassVar[set[str]]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.keeps_spaces:
            kwargs["strip"] = False
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
