"""CSV as spreadsheets read it."""

import csv
from collections.abc import Iterable
from datetime import datetime

from django.http import HttpResponse

# A cell that begins so is a formula for spreadsheets: what people typed must not be one.
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


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
    is_formula = isinstance(value, str) and value.startswith(FORMULAS)
    return f"'{value}" if is_formula else value
