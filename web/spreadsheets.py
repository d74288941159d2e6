"""CSV for spreadsheets."""

import csv
import re
from collections.abc import Iterable
from datetime import datetime, tzinfo

from django.http import HttpResponse

# Where a spreadsheet would see a formula, which text that people typed must not be. One that splits
# at semicolons or tabs ignores that the cell is quoted: it begins a new cell there and after a line
# break, and drops the quotation marks at its beginning.
FORMULA = re.compile(r"""(\A|[;\t\r\n])(?="*[=+\-@\t\r])""")


def csv_response(
    filename: str,
    header: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    zone: tzinfo | None = None,
) -> HttpResponse:
    """With a `zone`, times are in it, as spreadsheets read them, and the last column names it. Else
    they are ISO 8601 in UTC, for programs.
    """
    named = [] if zone is None else [str(zone)]
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    response.write("\ufeff")  # by which Excel knows that it is UTF-8
    writer = csv.writer(response)
    writer.writerow([*header, "Time zone"] if named else header)
    writer.writerows([_cell(value, zone) for value in [*row, *named]] for row in rows)
    return response


def _cell(value: object, zone: tzinfo | None) -> object:
    if isinstance(value, datetime):
        if zone is None:
            return value.isoformat(timespec="seconds")
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
