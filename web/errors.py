"""What can be wrong with a request whatever it asks for, and with the server itself."""

from django.conf import settings
from rest_framework import exceptions
from rest_framework.exceptions import APIException


class Refusal(APIException):
    """Base of what is refused before, or outside, a view of the API; see web/problems.py."""

    title: str
    default_detail: str
    counts_as = "other"
    # Seconds after which it is worth another try.
    wait: int | None = None


class BadRequest(Refusal):
    status_code = 400
    default_code = "bad_request"
    title = "Not understood"
    default_detail = (
        "This request could not be understood. Its Host may be none that ALLOWED_HOSTS names, or "
        "it may have more than 1000 fields."
    )


class AddressNotText(Refusal):
    status_code = 400
    default_code = "address_not_text"
    title = "The address is not text"
    default_detail = "The address of this request is not text: percent-encode it as UTF-8."


class AddressAmbiguous(Refusal):
    status_code = 400
    default_code = "address_ambiguous"
    title = "The address may mean two rooms"
    default_detail = (
        "The server was not told how this address was sent, and so cannot tell a slash from %2F. "
        "Whoever runs it should take a WSGI server that gives RAW_URI or REQUEST_URI."
    )


class NotAllowed(Refusal):
    status_code = 403
    default_code = "permission_denied"
    title = "Not allowed"
    default_detail = "You may not do this here. Ask whoever runs this server."


class FormRefused(Refusal):
    """Only the forms of the admin are checked."""

    status_code = 403
    default_code = "csrf_failed"
    title = "The form was not accepted"
    default_detail = (
        "This form did not come from a page of this server, or was open for too long. Open the "
        "page again and send it once more."
    )


class NothingHere(Refusal):
    status_code = 404
    default_code = "not_found"
    title = "Nothing at this address"
    default_detail = "There is nothing at this address. The page at / lists the endpoints for apps."


class LengthRequired(Refusal):
    status_code = 411
    default_code = "length_required"
    title = "The length is missing"
    default_detail = "Send the body in one piece, with a Content-Length."


class BodyTooLarge(Refusal):
    status_code = 413
    default_code = "body_too_large"
    title = "The body is too large"
    default_detail = f"A request body may have {settings.MAX_BODY_BYTES} bytes at most."


class HeadersTooLarge(Refusal):
    status_code = 431
    default_code = "headers_too_large"
    title = "The headers are too large"
    default_detail = f"The headers of a request may have {settings.MAX_HEADER_BYTES} bytes at most."


class EncodingUnsupported(Refusal):
    status_code = 415
    default_code = "encoding_unsupported"
    title = "The encoding is not supported"
    default_detail = "Send the body as it is, or with the Content-Encoding gzip or deflate."


class BodyNotDecoded(Refusal):
    status_code = 400
    default_code = "body_not_decoded"
    title = "The body cannot be unpacked"
    default_detail = "The body is not what its Content-Encoding says. Send it as it is."


class BodyNotReceived(Refusal):
    status_code = 408
    default_code = "body_not_received"
    title = "The body did not arrive"
    default_detail = "The body did not arrive in time. Send the request again, in one piece."


class ServerError(Refusal):
    counts_as = ""
    status_code = 500
    default_code = "server_error"
    title = "A mistake of ours"
    default_detail = "Something went wrong on our side. Please try again in a moment."


# What Django REST framework raises for us: its own sentences say less.
OF_THE_FRAMEWORK: dict[type[APIException], tuple[str, str]] = {
    exceptions.ValidationError: ("A value is wrong", "`detail` names the field and says how."),
    exceptions.ParseError: ("The body cannot be read", "`detail` says where. Send JSON or a form."),
    exceptions.MethodNotAllowed: ("Not with this method", "Use one of those in `Allow`."),
    exceptions.UnsupportedMediaType: (
        "Not in this format",
        "Send `application/json` in UTF-8, or a form as `application/x-www-form-urlencoded`.",
    ),
}
