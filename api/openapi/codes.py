from archives.pages import not_viewable
from web.errors import CODES, Code


def every_code() -> list[Code]:
    """Every `code` that an error can have, by status."""
    return sorted({**CODES, **{each.code: each for each in not_viewable()}}.values())
