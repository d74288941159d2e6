from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from access.authentication import key_of
from access.capabilities import Capability
from access.models import ApiKey
from web.errors import Problem


class HasCapability(BasePermission):
    """Holds a view to its `needs`: one Capability, or one for each of a viewset's actions.

    What ANONYMOUS_ACCESS does not name takes a key that has the capability. A view without `needs`
    fails. A public one has no permission classes.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = view.needs
        if isinstance(needed, dict):
            if view.action is None:
                return True  # a method that the address does not take, which is said next
            needed = needed[view.action]
        if needed not in settings.ANONYMOUS_ACCESS:
            _refuse_without(needed, key_of(request))
        return True


def _refuse_without(capability: Capability, key: ApiKey | None) -> None:
    if key is None:
        raise Problem("key_required", capability=capability)
    if not key.may(capability):
        raise Problem("capability_missing", capability=capability)
