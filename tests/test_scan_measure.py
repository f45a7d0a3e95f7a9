"""What a scan makes of CloudWatch's answers: which series it asks for, what missing means, and what refusals leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest

from builders import NOON
from measuring import DENIED, FakeSeries
from warmcast.errors import AwsError
from warmcast.model import Capacity, Status
from warmcast.model.asked import Completeness
from warmcast.scan.charting import chart_of
from warmcast.scan.found import AliasSeen, FunctionSeen, Scaling
from warmcast.scan.measure import LATEST, Wanted, by_hour, days_of, grid_of, measure, queries_of, traffic

NOW_S = int(NOON.timestamp())
LONG_AGO = NOON - timedelta(days=100)
LIVE = "checkout-api:live"
PLAIN = FunctionSeen("checkout-api", "python3.13", "Zip", 1024, "arm64", 30.0)
KEPT = replace(PLAIN, provisioned=MappingProxyType({"live": Capacity(10, 10, 10, Status.READY, "", LONG_AGO)}))
WEIGHTED = replace(KEPT, aliases={"live": AliasSeen("7", {"8": 0.1})})


@pytest.fixture
def busy() -> FakeSeries:
    """An alias with two hundred invocations in each of the last three steps, of four, of which one ran idle."""
    series = FakeSeries()
    for metric, values in {
        "Invocations": [200.0, np.nan, 200.0, 200.0],
        "Duration": [500.0, np.nan, 300.0, 400.0],
        "ConcurrentExecutions": [3.0, np.nan, 2.0, 4.0],
        "ProvisionedConcurrentExecutions": [3.0, np.nan, 2.0, 4.0],
        "ProvisionedConcurrencyUtilization": [0.3, np.nan, 0.2, 0.4],
    }.items():
        series.give(metric, values, resource=LIVE)
    series.give("Invocations", [500.0], resource="")
    return series


# --- which steps -----------------------------------------------------------------------------------------------------


def test_the_time_looked_at_ends_a_quarter_of_an_hour_ago() -> None:
    """Five-minute steps, so many days of them, aligned as CloudWatch answers fastest."""
    grid = grid_of(NOON + timedelta(seconds=200), 14)
    assert (grid.end, grid.step_s, len(grid)) == (NOW_S - 900, 300, 14 * 288)


@pytest.mark.parametrize("offset_s", [0, 1, 299, 1799])
def test_no_step_is_older_than_cloudwatch_keeps_it(offset_s: int) -> None:
    """63 days are cut to what is kept: whole hours, at most an hour and a half short of them."""
    now = NOON + timedelta(seconds=offset_s)
    grid = grid_of(now, 63)
    assert 0 < grid.start - (now.timestamp() - 63 * 86_400) <= 5400
    assert (grid.end - grid.start) % 3600 == 0


@pytest.mark.parametrize("days", [0, 64, 365])
def test_more_than_cloudwatch_keeps_is_refused(days: int) -> None:
    """And no day at all."""
    with pytest.raises(ValueError, match=f"^{days} days"):
        grid_of(NOON, days)


# --- functions as a whole --------------------------------------------------------------------------------------------


def test_traffic_takes_one_query_a_function_in_full_calls() -> None:
    """1,200 functions in calls of 500, 500 and 200; what has no datapoint had no invocation."""
    series = FakeSeries()
    names = [f"fn-{n}" for n in range(1200)]
    series.give("Invocations", [5.0, np.nan, 7.0], function="fn-3")
    found = traffic(series, names, now=NOON, days=14)
    assert (found["fn-3"], found["fn-4"], len(found)) == (12.0, 0.0, 1200)
    assert (series.requested, len(series.grids)) == (1200, 3)
    assert set(series.grids) == {days_of(NOON, 14)}


def test_traffic_that_cloudwatch_tells_in_part_is_not_known() -> None:
    """A part of the sum is no sum."""
    series = FakeSeries(fates={"Invocations": Completeness.PARTIAL})
    series.give("Invocations", [5.0], function="fn-3")
    assert np.isnan(traffic(series, ["fn-3"], now=NOON, days=14)["fn-3"])


def test_traffic_that_is_refused_altogether_is_an_error() -> None:
    """The place then has a row that says so; of no function at all nothing is asked."""
    series = FakeSeries(fates={"Invocations": DENIED})
    with pytest.raises(AwsError, match="not authorized"):
        traffic(series, ["fn-3"], now=NOON, days=14)
    assert traffic(series, [], now=NOON, days=14) == {}


# --- aliases and versions --------------------------------------------------------------------------------------------


def test_an_alias_with_provisioned_concurrency_takes_eight_series() -> None:
    """Its own by function and resource, and the whole function's invocations."""
    queries = queries_of(Wanted(KEPT, "live"))
    assert {(q.metric, q.statistic) for q in queries.values() if q.resource == LIVE} == {
        ("Invocations", "Sum"),
        ("Duration", "Average"),
        ("ConcurrentExecutions", "Maximum"),
        ("Throttles", "Sum"),
        ("ProvisionedConcurrencySpilloverInvocations", "Sum"),
        ("ProvisionedConcurrentExecutions", "Maximum"),
        ("ProvisionedConcurrencyUtilization", "Maximum"),
    }
    assert (queries["of_function"].resource, len(queries)) == ("", 8)


def test_without_it_an_alias_takes_five() -> None:
    """Of what was never provisioned nothing is asked; a scalable target at 0 counts as provisioned."""
    assert len(queries_of(Wanted(PLAIN, "live"))) == 5
    assert len(queries_of(Wanted(replace(PLAIN, scaling={"live": Scaling(0, 5)}), "live"))) == 8


def test_what_aliases_of_one_function_share_is_asked_once() -> None:
    """The whole function's invocations cost one metric, however many aliases it has."""
    series = FakeSeries()
    measure(series, [Wanted(PLAIN, name) for name in ("live", "beta", "gamma")], now=NOON, days=14)
    assert series.requested == len(series.asked) == 3 * 4 + 1


def test_latest_stands_for_the_whole_function(busy: FakeSeries) -> None:
    """Callers that name no qualifier have no series of their own that AWS documents."""
    usage = measure(busy, [Wanted(PLAIN, LATEST)], now=NOON, days=14)["checkout-api", LATEST]
    assert (usage.of_function, usage.invocations[-1]) == (14 * 288 * 500.0, 500.0)
    assert {query.resource for query in busy.asked} == {""}
    assert busy.requested == 4


def test_a_complete_answer_without_a_datapoint_means_idle(busy: FakeSeries) -> None:
    """Sums are zero there; of a mean or a maximum there is none to tell."""
    usage = measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert usage.invocations[-4:].tolist() == [200.0, 0.0, 200.0, 200.0]
    assert usage.invocations.sum() == 600.0
    assert (usage.throttles.sum(), usage.spilled.sum()) == (0.0, 0.0)
    np.testing.assert_array_equal(usage.duration_s[-4:], [0.5, np.nan, 0.3, 0.4])
    np.testing.assert_array_equal(usage.peak[-4:], [3.0, np.nan, 2.0, 4.0])
    assert (usage.complete, usage.note, usage.days) == (True, "", 14.0)
    assert usage.capacity.tolist() == [10.0] * 4032
    assert usage.certain.all()


@pytest.mark.parametrize("fate", [Completeness.PARTIAL, Completeness.INTERNAL_ERROR, Completeness.FORBIDDEN])
def test_what_is_missing_from_any_other_answer_is_not_known(busy: FakeSeries, fate: Completeness) -> None:
    """What came is kept, the rest is a gap, and the usage says which metric and why."""
    busy.fates["Throttles"] = fate
    busy.give("Throttles", [2.0], resource=LIVE)
    busy.values = {query: [2.0, 2.0] if query.metric == "Throttles" else v for query, v in busy.values.items()}
    usage = measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert np.isnan(usage.throttles[:-2]).all()
    assert np.isnan(usage.throttles[-1]) == (fate is not Completeness.PARTIAL)
    assert usage.invocations.sum() == 600.0
    assert (usage.complete, usage.note) == (False, f"Throttles: {fate}")


def test_a_refusal_leaves_everything_unknown_and_says_it_once() -> None:
    """No exception, no zero: eight metrics, one sentence of AWS."""
    refused = FakeSeries(
        fates=dict.fromkeys((query.metric for query in queries_of(Wanted(KEPT, "live")).values()), DENIED)
    )
    usage = measure(refused, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"]
    for values in (usage.invocations, usage.throttles, usage.spilled, usage.peak, usage.demand):
        assert np.isnan(values).all()
    assert np.isnan(usage.of_function)
    assert usage.note.count("not authorized") == 1
    assert not usage.complete
    assert usage.capacity.tolist() == [10.0] * 4032


def test_one_refused_series_leaves_the_others_alone(busy: FakeSeries) -> None:
    """Another alias's usage, and its own other series, are whole."""
    busy.fates["ProvisionedConcurrencyUtilization"] = DENIED
    found = measure(busy, [Wanted(KEPT, "live"), Wanted(PLAIN, "beta")], now=NOON, days=14)
    assert found["checkout-api", "beta"].complete
    assert found["checkout-api", "live"].invocations.sum() == 600.0
    assert found["checkout-api", "live"].note.startswith(
        "ProvisionedConcurrencyUtilization: GetMetricData: AccessDenied"
    )


def test_a_scan_that_is_stopped_leaves_the_rest_unknown(busy: FakeSeries) -> None:
    """Nothing was asked, and the note says why."""
    usage = measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14, in_time=lambda: False)["checkout-api", "live"]
    assert np.isnan(usage.invocations).all()
    assert "stopped" in usage.note
    assert busy.requested == 0


def test_spillover_is_unknown_without_provisioned_concurrency(busy: FakeSeries) -> None:
    """Nor is it asked for; the capacity is what stands now, nothing, and certain only there."""
    usage = measure(busy, [Wanted(PLAIN, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert np.isnan(usage.spilled).all()
    assert usage.capacity.tolist() == [0.0] * 4032
    assert usage.certain.sum() == 1.0


def test_versions_of_a_weighted_alias_are_told_apart(busy: FakeSeries) -> None:
    """The last day's invocations on each version that it routes to."""
    busy.give("Invocations", [90.0] * 300, resource=LIVE, version="7")
    busy.give("Invocations", [10.0] * 300, resource=LIVE, version="8")
    usage = measure(busy, [Wanted(WEIGHTED, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert usage.by_version == {"7": 288 * 90.0, "8": 288 * 10.0}
    assert measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"].by_version == {}


def test_what_stood_comes_from_what_was_in_use_where_it_was_set_lately(busy: FakeSeries) -> None:
    """Ten stood while it ran, forty were set a minute ago."""
    lately = replace(KEPT, provisioned={"live": Capacity(40, 40, 40, Status.READY, "", NOON - timedelta(minutes=1))})
    usage = measure(busy, [Wanted(lately, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert usage.capacity[-4:].tolist() == [10.0, 10.0, 10.0, 40.0]
    assert usage.certain[-4:].tolist() == [1.0, 0.0, 1.0, 1.0]


def test_what_stands_now_is_no_zero_where_it_could_not_be_read(busy: FakeSeries) -> None:
    """A scalable target without a config that may be read: only what was in use tells."""
    unread = replace(
        PLAIN, scaling={"live": Scaling(1, 20)}, unread=("ListProvisionedConcurrencyConfigs: AccessDenied",)
    )
    usage = measure(busy, [Wanted(unread, "live")], now=NOON, days=14)["checkout-api", "live"]
    assert usage.capacity[-1] == 10.0


def test_nothing_wanted_asks_nothing() -> None:
    """A Region without functions costs nothing."""
    series = FakeSeries()
    assert measure(series, [], now=NOON, days=14) == {}
    assert series.requested == 0


def test_the_demand_in_hours_charts_as_that_in_minutes_does(busy: FakeSeries) -> None:
    """What a report keeps is a twelfth, and draws the same picture."""
    rng = np.random.default_rng(2)
    idle = rng.random(4032) < 0.3
    for metric in ("Invocations", "Duration", "ConcurrentExecutions"):
        busy.give(metric, np.where(idle, np.nan, rng.integers(3, 900, size=4032)), resource=LIVE)
    usage = measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"]
    hours, fine = by_hour(usage), chart_of(usage)
    coarse = chart_of(hours)
    assert (len(hours.invocations), hours.step_s, hours.days) == (336, 3600, 14.0)
    assert coarse.demand_mean == pytest.approx(fine.demand_mean, abs=0.002)
    assert (coarse.capacity, coarse.demand_highest) == (fine.capacity, fine.demand_highest)
    assert (coarse.start_epoch_s, coarse.step_s) == (fine.start_epoch_s, fine.step_s)
    assert hours.invocations.sum() == usage.invocations.sum()


def test_an_hour_with_a_gap_is_a_gap_in_sums(busy: FakeSeries) -> None:
    """Twelve steps of which one is not known: the sum is not, the highest of the others is."""
    usage = measure(busy, [Wanted(KEPT, "live")], now=NOON, days=14)["checkout-api", "live"]
    invocations = usage.invocations.copy()
    invocations[-1] = np.nan
    hours = by_hour(replace(usage, invocations=invocations))
    assert np.isnan(hours.invocations[-1])
    assert hours.peak[-1] == 4.0
    assert by_hour(hours) is hours
