"""Forms of the admin that do not strip spaces."""

from typing import Any, ClassVar

from django.db.models import Field
from django.http import HttpRequest


class KeepsSpaces:
    """Mixed into an admin or an inline. Without a space at its end, a prefix of names would match
    more rooms.
    """

    keeps_spaces: ClassVar[set[str]]

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.keeps_spaces:
            kwargs["strip"] = False
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
