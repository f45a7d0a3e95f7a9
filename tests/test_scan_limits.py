"""Limits of concurrency in every report: Regions with nothing to say share a line, the unknown is called so."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

import scanned
from warmcast.page import page
from warmcast.scan.found import ConcurrencyRow, Evidence, Place, Pressure, Scan
from warmcast.scan.markdown import scan_to_markdown
from warmcast.scan.record import record_of
from warmcast.scan.text import print_scan

REGIONS = ("ap-south-1", "eu-west-1", "sa-east-1")
NAN = float("nan")


def row(region: str, *, peak: float = 3.0, left: int | None = 1000) -> ConcurrencyRow:
    """An account's limit in a Region, with two sentences about it."""
    said = (Evidence("It may run 1,000.", "Lambda"), Evidence("0 are claimed.", "Lambda"))
    return ConcurrencyRow(Place("111122223333", region), "", 1000, peak, 0.0, Pressure.FINE, said, left)


def made(*rows: ConcurrencyRow) -> Scan:
    """A scan of an account in which nothing else was found."""
    return replace(scanned.empty(), places=tuple(each.place for each in rows), concurrency=rows)


def reports(scan: Scan) -> dict[str, str]:
    """The terminal, markdown and page of a scan, each on one line."""
    screen = io.StringIO()
    record = record_of(scan)
    print_scan(Console(file=screen, width=160), record)
    texts = {"text": screen.getvalue(), "markdown": scan_to_markdown(record), "page": page(record)}
    return {name: " ".join(text.replace("\\_", "_").split()) for name, text in texts.items()}


@pytest.mark.parametrize("form", ["text", "markdown", "page"])
def test_regions_with_nothing_to_say_share_a_line(form: str) -> None:
    """Three quiet ones in a sentence; the one that is not known keeps its row, and is not called fine."""
    told = reports(made(*map(row, REGIONS), row("us-west-2", peak=NAN, left=None)))[form]
    assert "3 Regions with nothing to say, no limit near: ap-south-1, eu-west-1, sa-east-1." in told
    assert "account 111122223333/us-west-2" in told
    assert "account 111122223333/eu-west-1" not in told
    assert "not known" in told
    assert "fine" not in told.partition("account 111122223333/us-west-2")[2][:200]


@pytest.mark.parametrize("form", ["text", "markdown", "page"])
def test_a_region_alone_keeps_its_row(form: str) -> None:
    """Whoever asks for one Region is told its limit, in whole sentences."""
    told = reports(made(row("eu-west-1")))[form]
    assert "account 111122223333/eu-west-1" in told
    assert "with nothing to say" not in told
    assert ".;" not in told
