from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from access.authentication import client_token_of, invitation_of, key_of
from access.capabilities import OF_ROLE, Capability
from access.models import ApiKey
from access.second_factor import user_of
from web.errors import Problem


class HasCapability(BasePermission):
    """Enforces the `needs` of a view: one Capability, or one for each action of a viewset.

    A capability that ANONYMOUS_ACCESS does not name takes an API key that has it, or, for the
    actions in `takes_client_tokens`, a client token whose role has it; these actions have to call
    rooms.coverage.check_client_covers_session. Invitations count for the actions in
    `takes_invitations` only, whose room has to check them. `takes_staff` maps actions to the
    permission with which staff who are logged in to the admin need no key: GETs only, since there
    is no CSRF check. None is for actions on an id that cannot be guessed. A view without `needs`
    fails; a public view has no permission classes.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if invitation_of(request):
            if _is_among(view, "takes_invitations"):
                return True
            raise Problem("invitation_invalid")
        needed = view.needs
        if isinstance(needed, dict):
            if view.action is None:
                return True  # an unknown method, which DRF refuses next
            needed = needed[view.action]
        if needed is None or needed in settings.ANONYMOUS_ACCESS:
            return True
        takes = _is_among(view, "takes_client_tokens")
        if client := client_token_of(request):
            if takes and needed in OF_ROLE.get(client.role, set()):
                return True
            raise Problem("client_token_insufficient", capability=needed)
        if takes and not key_of(request):
            raise Problem("client_token_required", capability=needed)
        if not key_of(request) and _is_staff_with_right(request, view):
            return True
        _refuse_without(needed, key_of(request))
        return True


def _is_among(view: Any, actions: str) -> bool:
    return getattr(view, "action", None) in getattr(view, actions, ())


def _is_staff_with_right(request: Request, view: Any) -> bool:
    right = getattr(view, "takes_staff", {}).get(getattr(view, "action", None))
    if right is None or not hasattr(request._request, "session"):
        return False
    user: Any = user_of(request._request)
    # Staff with own rooms watch recordings in the admin, which knows their rooms.
    return user.is_staff and user.has_perm(right) and not has_own_rooms_only(user)


def has_own_rooms_only(user: Any) -> bool:
    """Superusers work with all rooms, although they have this permission as well."""
    return not user.is_superuser and user.has_perm("rooms.only_own_rooms")


def _refuse_without(capability: Capability, key: ApiKey | None) -> None:
    if key is None:
        raise Problem("key_required", capability=capability)
    if not key.may(capability):
        raise Problem("capability_missing", capability=capability)
