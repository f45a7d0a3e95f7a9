"""The record of a scan: every number of it, and back from its JSON; what is no such file says why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import scanned
from builders import capacity
from warmcast.errors import ScanFileError
from warmcast.scan.charting import chart_of
from warmcast.scan.found import Scan, Verdict
from warmcast.scan.record import record_of, scan_from_json, scan_to_json


@pytest.mark.parametrize("made", [scanned.scan(), scanned.empty(), scanned.denied()], ids=["full", "empty", "denied"])
def test_a_record_comes_back_from_its_json(made: Scan) -> None:
    """Nothing is lost or changed on the way through a file."""
    record = record_of(made)
    assert scan_from_json(scan_to_json(record), source="scan.json") == record


def test_money_is_the_sum_over_the_rows() -> None:
    """14 aliases with 20 units of $10.95, 13 of them measured; what saves and what costs are kept apart."""
    money = record_of(scanned.scan()).money
    with_units = len(Verdict) - len(scanned.BARE) + 1  # the hostile row is one more
    assert money.allocated_monthly_usd == pytest.approx(with_units * 20 * 10.95, rel=1e-4)
    assert money.idle_monthly_usd == pytest.approx((with_units - 1) * 20 * 10.95 * 0.9)
    assert money.idle_unknown == 1
    assert money.saves_monthly_usd == pytest.approx(-sum(usd for usd in scanned.CHANGES.values() if usd < 0))
    assert money.costs_monthly_usd == pytest.approx(54.75 + 43.8 + 21.9)
    assert money.change_monthly_usd == pytest.approx(sum(scanned.CHANGES.values()))


def test_what_was_not_measured_costs_what_stands_now() -> None:
    """7 units of 1 GB at $0.0000041667 per GB-second for 730 hours; how much of it is idle is not known."""
    finding = replace(scanned.finding(Verdict.UNKNOWN), capacity=capacity(7))
    (row,) = record_of(replace(scanned.empty(), findings=(finding,))).rows
    assert row.allocated_monthly_usd == pytest.approx(7 * 0.0000041667 * 3600 * 730)
    assert row.idle_monthly_usd is None
    assert row.chart is None
    assert row.notes == ("tags (AccessDenied)",)


def test_what_is_no_number_is_not_known() -> None:
    """JSON has neither NaN nor infinity: a break-even that is never reached is None."""
    odd = replace(scanned.figures(), break_even=float("inf"), utilization=float("nan"))
    made = replace(scanned.finding(Verdict.KEEP), figures=odd)
    (row,) = record_of(replace(scanned.empty(), findings=(made,))).rows
    assert row.figures
    assert (row.figures.break_even, row.figures.utilization) == (None, None)


def test_a_time_of_which_nothing_is_known_is_not_idle() -> None:
    """Zeros that nobody measured: what stands costs what it costs, and how much of it is idle nobody knows."""
    blind = replace(scanned.figures(), known_share=0.0, utilization=0.0, idle_usd=219.0, allocated_usd=219.0)
    made = replace(scanned.finding(Verdict.UNKNOWN), figures=blind)
    record = record_of(replace(scanned.empty(), findings=(made,)))
    assert (record.rows[0].figures, record.rows[0].idle_monthly_usd) == (None, None)
    assert record.rows[0].allocated_monthly_usd == pytest.approx(20 * 10.95, rel=1e-4)
    assert record.money.idle_unknown == 1


def test_without_capacity_there_is_no_utilization() -> None:
    """Neither 0% nor 100% of nothing."""
    (row,) = record_of(replace(scanned.empty(), findings=(scanned.finding(Verdict.NO),))).rows
    assert row.figures
    assert row.figures.utilization is None


def test_a_charts_hour_is_the_mean_and_the_highest_of_its_steps() -> None:
    """Two hours of 5 minutes by hand: the unknown steps don't count as zero, an hour of them is unknown."""
    hour = scanned.usage(days=1)
    invocations = np.array([np.nan] * 12 + [np.nan] * 6 + [600.0] * 3 + [1200.0] * 3)
    cut = {name: getattr(hour, name)[:24] for name in ("throttles", "spilled", "provisioned", "utilization", "certain")}
    made = replace(
        hour,
        invocations=invocations,
        duration_s=np.where(invocations > 0, 0.5, np.nan),
        peak=np.array([np.nan] * 23 + [9.0]),
        capacity=np.array([20.0] * 12 + [20.0] * 6 + [10.0] * 6),
        **cut,
    )
    chart = chart_of(made)
    assert chart.step_s == 3600
    assert chart.demand_mean == (None, 1.5)  # 600 / 300 s x 0.5 s = 1, 1200 / 300 s x 0.5 s = 2
    assert chart.demand_highest == (None, 9.0)
    assert chart.capacity == (20.0, 15.0)


@pytest.mark.parametrize(
    ("days", "step_s", "expected_s"), [(14, 60, 3600), (14, 300, 3600), (63, 300, 14_400), (455, 3600, 172_800)]
)
def test_a_chart_stays_small_however_long_the_history(days: int, step_s: int, expected_s: int) -> None:
    """An hour for 14 days; never more than 400 points, and never a step that cuts an hour."""
    made = scanned.usage(days=days, step_s=step_s)
    chart = chart_of(made)
    series = (chart.demand_mean, chart.demand_highest, chart.capacity)
    assert {len(each) for each in series} == {-(-days * 86_400 // chart.step_s)}
    assert len(chart.capacity) <= 400
    assert chart.step_s == expected_s


def _spoiled(**changes: object) -> str:
    body: dict[str, Any] = json.loads(scan_to_json(record_of(scanned.scan())))
    body["rows"][3] |= changes
    return json.dumps(body)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "scan.json: file: Invalid JSON"),
        ("[]", "scan.json: file: Input should be an object"),
        (_spoiled(verdict="perhaps"), "scan.json: rows.3.verdict: Input should be 'stuck'"),
        (_spoiled(memory_mb="1024"), "scan.json: rows.3.memory_mb: Input should be a valid integer"),
        (_spoiled(change_monthly_usd=float("nan")), "scan.json: rows.3.change_monthly_usd: Input should be a finite"),
        (_spoiled(colour="red"), "scan.json: rows.3.colour: Extra inputs are not permitted"),
        (_spoiled(evidence=[{"text": "x"}]), "scan.json: rows.3.evidence.0.source: Field required"),
        ('{"version": 2}', "scan.json: version: Input should be 1"),
        ("{}", "scan.json: version: Field required"),
    ],
)
def test_a_bad_file_names_file_key_and_rule(text: str, told: str) -> None:
    """Whoever edited it, or passed another file, sees where."""
    with pytest.raises(ScanFileError) as error:
        scan_from_json(text, source="scan.json")
    assert str(error.value).startswith(told)


def test_a_file_of_something_else_does_not_flood_the_terminal() -> None:
    """Five errors, then how many more there are."""
    body = json.loads(scan_to_json(record_of(scanned.scan())))
    body["rows"] = [{"some": "thing"}] * 50
    with pytest.raises(ScanFileError) as error:
        scan_from_json(json.dumps(body), source="scan.json")
    lines = str(error.value).splitlines()
    assert len(lines) == 6
    assert lines[-1].endswith("more like these")
