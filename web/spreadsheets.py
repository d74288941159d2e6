"""CSV for spreadsheets."""

import csv
import re
from collections.abc import Iterable
from datetime import datetime

from django.http import HttpResponse

# Where a spreadsheet would see a formula, which text that people typed must not be. One that splits
# at semicolons or tabs ignores that the cell is quoted: it begins a new cell there and after a line
# break, and drops the quotation marks at its beginning.
FORMULA = re.compile(r"""(\A|[;\t\r\n])(?="*[=+\-@\t\r])""")


def csv_response(
    filename: str, header: Iterable[str], rows: Iterable[Iterable[object]]
) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    response.write("\ufeff")  # by which Excel knows that it is UTF-8
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value
