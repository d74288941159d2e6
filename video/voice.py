"""What Vonage's Voice API asks and tells about calls of phones.

Its webhooks are signed with a secret of the account, which is another one than CALLBACK_SECRET.
"""

import logging

from django.conf import settings

from video import signatures
from web.errors import Problem

logger = logging.getLogger(__name__)


def check_webhook(body: bytes, *, authorization: str) -> None:
    """Raise `voice_refused` unless Vonage signed this just now, or VOICE_SIGNATURE_SECRET is not
    set. `body` is as it came, `authorization` the header.
    """
    if not settings.VOICE_SIGNATURE_SECRET:
        return
    try:
        signatures.check(body, authorization, secrets=[settings.VOICE_SIGNATURE_SECRET])
    except signatures.BadSignatureError as error:
        logger.warning("A webhook of the Voice API was refused: %s", error)
        raise Problem("voice_refused", reason=str(error)) from None
