"""`warmcast report` without a file of a scan: it makes the scan itself, against the local AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from builders import CHECKOUT
from warmcast import cli

if TYPE_CHECKING:
    from pathlib import Path

    from localaws import LocalAws

DAY_MINUTES = 24 * 60


@pytest.fixture
def laptop(aws: LocalAws) -> list[str]:
    """An alias with twice what its day of steady demand needs, and the options that lead to it."""
    now = datetime.now(UTC)
    aws.set_now(now)
    aws.create_function(CHECKOUT.function)
    aws.set_provisioned(CHECKOUT.function, CHECKOUT.qualifier, 40)
    minutes = np.full(DAY_MINUTES, 10.0)
    aws.load_minutes(
        CHECKOUT.function,
        CHECKOUT.qualifier,
        now.replace(second=0, microsecond=0) - timedelta(minutes=DAY_MINUTES),
        invocations=minutes * 120,
        duration_ms=minutes * 120 * 500.0,
        concurrency=np.ceil(minutes * 1.2),
    )
    aws.clear_calls()
    return ["report", "--region", CHECKOUT.region, "--endpoint-url", aws.endpoint_url, "--days", "1"]


def test_a_report_scans_where_it_has_no_file(laptop: list[str], tmp_path: Path) -> None:
    """The page names the alias, what its 40 units of $10.95 would cost if they stay, and the days asked for."""
    assert cli.main([*laptop, "--out", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"{CHECKOUT.function}:{CHECKOUT.qualifier}" in page
    assert "the 1 day up to" in page
    assert "what stands now would be $438" in page


def test_what_it_scanned_can_be_told_again(laptop: list[str], tmp_path: Path) -> None:
    """JSON now, the table later, the same numbers."""
    scan, table = tmp_path / "scan.json", tmp_path / "scan.csv"
    assert cli.main([*laptop, "--out", str(scan)]) == 0
    assert cli.main(["report", "--from", str(scan), "--out", str(table)]) == 0
    (row,) = json.loads(scan.read_text(encoding="utf-8"))["rows"]
    assert row["capacity"]["requested"] == 40
    assert f"{CHECKOUT.account},{CHECKOUT.region},{CHECKOUT.function}" in table.read_text(encoding="utf-8")


def test_a_denied_region_is_written_down_and_exits_1(laptop: list[str], aws: LocalAws, tmp_path: Path) -> None:
    """The page is there all the same, and says what could not be read."""
    aws.deny("ListFunctions")
    assert cli.main([*laptop, "--out", str(tmp_path / "page.html")]) == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Nothing could be read." in page
    assert "AccessDenied" in page
