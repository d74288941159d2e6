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
    """Holds a view to its `needs`: one Capability, or one for each of a viewset's actions.

    What ANONYMOUS_ACCESS does not name takes a key that has the capability, or, for the actions in
    the view's `takes_client_tokens`, a client token whose role has it. Such an action has to call
    rooms.coverage.check_client_covers_session. An invitation counts for the actions in the view's
    `takes_invitations` alone, which have to let its room check it. `takes_staff` names the
    right with which a member of staff, logged in to the admin, needs no key for an action: GETs
    alone, since nothing here checks for forgeries. A capability of None is for an
    action that takes an id which cannot be guessed. A view without `needs` fails. A public one has
    no permission classes.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if invitation_of(request):
            if _is_among(view, "takes_invitations"):
                return True
            raise Problem("invitation_invalid")
        needed = view.needs
        if isinstance(needed, dict):
            if view.action is None:
                return True  # a method that the address does not take, which is said next
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
    # Which rooms are theirs, the admin knows: they watch recordings there.
    return user.is_staff and user.has_perm(right) and not has_own_rooms_only(user)


def has_own_rooms_only(user: Any) -> bool:
    """Superusers have each permission, this one as well, but work with all rooms."""
    return not user.is_superuser and user.has_perm("rooms.only_own_rooms")


def _refuse_without(capability: Capability, key: ApiKey | None) -> None:
    if key is None:
        raise Problem("key_required", capability=capability)
    if not key.may(capability):
        raise Problem("capability_missing", capability=capability)
