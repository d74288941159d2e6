from rest_framework.exceptions import APIException


class CursorInvalid(APIException):
    status_code = 400
    default_code = "cursor_invalid"
    title = "Not a cursor"
    default_detail = (
        "This cursor was not given out here. Take `nextCursor` or `previousCursor` of an earlier "
        "answer as it is, with the same filters, or leave it out to start over."
    )
