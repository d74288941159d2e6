"""What `Authorization: Bearer` brings: an API key, a client token, or an invitation."""

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
    """Makes `request.auth` what was proved; without `Bearer …`, it is None.

    Of a view with `takes_token_in_body` the client token in the body's `token` counts then. What is
    neither is refused even where nothing is needed: silence would hide the mistake. Other schemes
    are not for us. Some clients send one.
    """

    def authenticate(self, request: Request) -> tuple[None, Proof] | None:
        # DRF's request looks for META in itself first, by way of exceptions.
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
    """The good key that came with a request, if one came."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def client_token_of(request: Request) -> ClientToken | None:
    """The good client token that came with a request, if one came.

    It stands for its own session only: see rooms/coverage.py.
    """
    return request.auth if isinstance(request.auth, ClientToken) else None


def invitation_of(request: Request) -> Invitation | None:
    """The invitation that came with a request, if one came. Only its room can tell whether it was
    revoked.
    """
    return request.auth if isinstance(request.auth, Invitation) else None
