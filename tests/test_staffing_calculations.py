"""The worked numbers of `docs/calculations.md` are those that the code gives."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from warmcast.fleet import Spillover
from warmcast.staffing import need_seen, unit_of

PAGE = Path(__file__).parent.parent / "docs" / "calculations.md"
UNIT = unit_of(region="us-east-1", architecture="x86_64", memory_mb=1024)
ROW = re.compile(r"^\| ([\d.]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
COLUMNS = [(0.05, 1.0), (0.01, 1.0), (0.001, 1.0), (0.01, 2.0), (0.01, 4.0)]


def test_the_examples_on_the_page_run_and_give_what_they_show() -> None:
    """Every `>>>` of the page is run, and there are some."""
    found = doctest.testfile(str(PAGE), module_relative=False, verbose=False)
    assert found.attempted > 15
    assert found.failed == 0


@pytest.mark.parametrize("row", ROW.findall(PAGE.read_text(encoding="utf-8")), ids=lambda row: f"demand {row[0]}")
def test_the_table_of_capacities_is_right(row: tuple[str, ...]) -> None:
    """Each row of the page's table: the capacity for its demand at 5%, 1%, 0.1%, and at 1% for bursty traffic."""
    demand, *capacities = row
    for (share, peakedness), capacity in zip(COLUMNS, capacities, strict=True):
        found = need_seen(float(demand), 0.0, Spillover(share), peakedness=peakedness, unit=UNIT)
        assert found.capacity == int(capacity)


def test_the_page_has_a_table_of_capacities() -> None:
    """The test above has rows to check."""
    assert len(ROW.findall(PAGE.read_text(encoding="utf-8"))) == 5
