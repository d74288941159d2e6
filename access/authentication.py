"""Authentication by `Authorization: Bearer`: an API key, a client token, or an invitation."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access import invitations
from access.invitations import Invitation
from access.models import ApiKey
from video import tokens
from video.tokens import ClientToken
from web.errors import Problem

Proof = ApiKey | ClientToken | Invitation


class BearerAuthentication(BaseAuthentication):
    """Sets `request.auth`, which is None without `Bearer …`.

    A view with `takes_token_in_body` then takes a client token from `token` in the body. An invalid
    proof is refused even where none is needed, since silence would hide the mistake. Other schemes,
    which some clients send, are ignored.
    """

    def authenticate(self, request: Request) -> tuple[None, Proof] | None:
        # DRF's request looks for META among its own attributes first, by way of exceptions.
        header = request._request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, text = header.partition(" ")
        if scheme.lower() == "bearer":
            return None, _noted(request, _proof(request, text.strip()))
        view = request.parser_context["view"]
        if getattr(view, "takes_token_in_body", False) and (text := _token_in_body(request)):
            return None, _noted(request, _client_token(text))
        return None


def _noted(request: Request, proof: Proof) -> Proof:
    request._request.proof = proof  # type: ignore[attr-defined]  # for access/actors.py
    return proof


def _proof(request: Request, text: str) -> Proof:
    if invitations.is_invitation(text):
        return _invitation(text)
    return _client_token(text) if tokens.is_like_one(text) else _key(request, text)


def _invitation(text: str) -> Invitation:
    if invitation := invitations.read(text):
        return invitation
    raise Problem("invitation_invalid")


def _token_in_body(request: Request) -> str:
    text = request.data.get("token") if isinstance(request.data, dict) else None
    return text if isinstance(text, str) else ""


def _client_token(text: str) -> ClientToken:
    if token := tokens.read_token(text):
        return token
    raise Problem("client_token_invalid")


def _key(request: Request, text: str) -> ApiKey:
    key = ApiKey.objects.find(text)
    request._request.api_key_prefix = key.prefix  # type: ignore[attr-defined]  # for the log
    key.refuse_if_ended()
    key.note_use()
    return key


def key_of(request: Request) -> ApiKey | None:
    """The valid API key of a request, if it has one."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def client_token_of(request: Request) -> ClientToken | None:
    """The valid client token of a request, if it has one. It counts for its own session only:
    rooms/coverage.py.
    """
    return request.auth if isinstance(request.auth, ClientToken) else None


def invitation_of(request: Request) -> Invitation | None:
    """The invitation of a request, if it has one. Only its room knows whether it was revoked."""
    return request.auth if isinstance(request.auth, Invitation) else None
