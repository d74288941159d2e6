from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access.models import ApiKey


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer otr_…` makes `request.auth` the ApiKey; without it, it is None.

    A key that is not good is refused even where none is needed: silence would hide the mistake.
    Other schemes are not for us. Some clients send one.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        # DRF's request looks for META in itself first, by way of exceptions.
        header = request._request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = ApiKey.objects.find(text.strip())
        request._request.api_key_prefix = key.prefix  # type: ignore[attr-defined]  # for the log
        key.refuse_if_ended()
        key.note_use()
        return None, key


def key_of(request: Request) -> ApiKey | None:
    """The good key that came with a request, if one came."""
    return request.auth  # type: ignore[return-value]
