from rest_framework.exceptions import APIException


class CursorInvalid(APIException):
    status_code = 400
    default_code = "cursor_invalid"
    title = "Not a cursor"
    default_detail = (
        "This cursor was not given out here. Take `nextCursor` or `previousCursor` of an earlier "
        "answer as it is, with the same filters, or leave it out to start over."
    )


class IdempotencyKeyInvalid(APIException):
    status_code = 400
    default_code = "idempotency_key_invalid"
    title = "Not an idempotency key"
    default_detail = (
        "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces. A new UUID for "
        "each thing to be done is a good one."
    )


class IdempotencyKeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    title = "The idempotency key is another request's"
    default_detail = (
        "This Idempotency-Key came with another request in the last 24 hours. Send exactly that "
        "request again, or this one with a new key."
    )


class IdempotencyInProgress(APIException):
    status_code = 409
    default_code = "idempotency_in_progress"
    title = "The first request is under way"
    default_detail = (
        "The first request with this Idempotency-Key has not been answered yet. Send it again "
        "after Retry-After, with the same key."
    )
    wait = 2
