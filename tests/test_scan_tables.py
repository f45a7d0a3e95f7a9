"""A scan as markdown and as CSV: readable by people and programs, and no text of others breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

import scanned
from warmcast.scan.found import Verdict
from warmcast.scan.markdown import escaped, scan_to_markdown
from warmcast.scan.record import record_of
from warmcast.scan.sheet import CSV_COLUMNS, scan_to_csv

RECORD = record_of(scanned.scan())
DOCUMENT = Path(__file__).parent.parent / "docs" / "report.md"


def cells(line: str) -> list[str]:
    """The cells of a markdown row: between bars that are not escaped."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_markdown_has_a_row_for_every_alias_in_the_scans_order() -> None:
    """Each with as many cells as there are headings, hostile names included."""
    lines = scan_to_markdown(RECORD).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| alias"))
    table = [cells(line) for line in lines[start : start + 2 + len(RECORD.rows)]]
    assert {len(row) for row in table} == {10}
    assert [row[0] for row in table[2:]] == [escaped(row.name) for row in RECORD.rows]
    assert table[2][3:7] == ["20", "$219", "$197", "-$1,403"]
    assert not lines[start + 2 + len(RECORD.rows)].startswith("|")


def test_markdown_begins_with_the_money_and_says_how_it_was_made() -> None:
    """Headline, then prices, period and method, then what the verdicts rest on."""
    text = scan_to_markdown(RECORD)
    assert text.startswith(
        "# Provisioned concurrency in 2 accounts and 3 Regions, 2026-03-09 12:00 UTC\n\n- **$3,066** a"
    )
    assert text.index("AWS Price List API, read 2026-03-09") < text.index("| alias")
    for told in ("**Money.**", "**Cold starts.**", "ask for a higher quota", "AccessDeniedException", "193 functions"):
        assert told in text
    assert "### fn-too-high:live: too high" in text
    assert "- utilization 8.7% over 14 days (CloudWatch, ProvisionedConcurrencyUtilization)" in text
    assert "### fn-keep" not in text


def test_texts_of_others_are_no_markup() -> None:
    """No tag, no mention, no cell; a command stands as code, its own backticks inside."""
    text = scan_to_markdown(RECORD)
    outside = re.sub(r"`` .* ``", "", text)
    assert re.search(r"(?<!\\)<", outside) is None
    assert f"`` {scanned.NASTY_TEXT[:-4]} [2J ``" in text
    assert "\x1b" not in text
    assert escaped("a|b @team _x_ #1") == r"a\|b \@team \_x\_ \#1"


def test_an_empty_scan_is_no_empty_table() -> None:
    """Nothing found and nothing readable are said in words."""
    empty, denied = (scan_to_markdown(record_of(made)) for made in (scanned.empty(), scanned.denied()))
    assert "No alias or version has provisioned concurrency" in empty
    assert "| alias" not in empty
    assert "Nothing could be read." in denied


def test_csv_has_a_row_an_alias_and_numbers_that_are_numbers() -> None:
    """The same columns whatever was found; what is not known is empty."""
    rows = list(csv.DictReader(io.StringIO(scan_to_csv(RECORD))))
    assert [row["function"] for row in rows[:-1]] == [row.function for row in RECORD.rows[:-1]]
    first, unknown = rows[0], next(row for row in rows if row["verdict"] == "not known")
    assert (first["units"], first["allocated_monthly_usd"], first["change_monthly_usd"]) == ("20", "219.0", "-1402.6")
    assert (first["utilization"], first["need"], first["prices_assumed"]) == ("0.087", "6", "0")
    assert (unknown["utilization"], unknown["idle_monthly_usd"], unknown["amount"]) == ("", "", "")
    assert scan_to_csv(record_of(scanned.empty())) == ",".join(CSV_COLUMNS) + "\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_a_spreadsheet_computes_nothing_of_others(text: str) -> None:
    """A text that looks like a formula begins with an apostrophe."""
    made = replace(scanned.finding(Verdict.DROP), todo=text)
    (row,) = csv.DictReader(io.StringIO(scan_to_csv(record_of(replace(scanned.empty(), findings=(made,))))))
    assert row["todo"].startswith("'")


def test_every_column_is_told() -> None:
    """`docs/report.md` has a row for each column of the CSV, and none that is not there."""
    _, columns = DOCUMENT.read_text(encoding="utf-8").split("## The columns of the CSV")
    told = re.findall(r"^\| `(\w+)` \|", columns, re.MULTILINE)
    assert tuple(told) == CSV_COLUMNS
