import pytest

from web.errors import Problem


def raises(code, **options):
    """As pytest.raises, for a Problem with this code."""
    return pytest.raises(Problem, check=lambda problem: problem.code == code, **options)
