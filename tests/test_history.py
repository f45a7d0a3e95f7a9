"""An alias's past, joined from minutes, five minutes and hours: seams, gaps, what a coarse step tells, what stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import capacity
from warmcast.errors import AwsError, HistoryError
from warmcast.history import ANYBODY, KEPT, LATE_S, Recorded, grids, recorded
from warmcast.model.asked import Answer, Completeness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from warmcast.model import FloatArray
    from warmcast.model.asked import Grid, Query

NOW = datetime(2026, 3, 9, 12, 34, 56, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY_S = 86_400


@dataclass
class Cloud:
    """CloudWatch made of minutes: sums add up over a step, maxima are the highest, idle minutes report nothing.

    Args:
        start: epoch seconds of the first minute.
        minutes: by metric; NaN: no datapoint. In hours as in minutes the same store answers.
        anybody: up to when some function of the Region reported; None: nobody but this alias.
        afflicted: metrics that are answered otherwise.
    """

    start: int
    minutes: dict[str, FloatArray]
    anybody: int | None = NOW_S
    afflicted: dict[str, Completeness] = field(default_factory=dict)
    requested: int = 0
    grids: list[Grid] = field(default_factory=list)

    def read(
        self, queries: Sequence[Query], grid: Grid, *, in_time: Callable[[], bool] = lambda: True
    ) -> list[Answer | AwsError | None]:
        """Each query's answer over the grid."""
        assert in_time()
        self.requested += len(queries)
        self.grids.append(grid)
        return [self._answer(query, grid) for query in queries]

    def _answer(self, query: Query, grid: Grid) -> Answer:
        status = self.afflicted.get(query.metric, Completeness.COMPLETE)
        if query == ANYBODY:
            at = np.arange(grid.start, grid.end, grid.step_s)
            return Answer(np.where(at < (self.anybody or 0), 1.0, np.nan), status)
        values = np.full((grid.end - grid.start) // 60, np.nan)
        held = self.minutes.get(query.metric, np.empty(0))
        first = (self.start - grid.start) // 60
        low, high = max(0, first), min(len(values), first + len(held))
        if low < high:
            values[low:high] = held[low - first : high - first]
        steps = values.reshape(len(grid), -1)
        fold = np.fmax if query.statistic == "Maximum" else np.add
        known = np.where(np.isnan(steps), 0.0, steps)
        folded = np.where(np.isnan(steps).all(axis=1), np.nan, fold.reduce(known, axis=1))
        return Answer(np.full(len(grid), np.nan) if status is Completeness.FORBIDDEN else folded, status, "no right")


def cloud(invocations: FloatArray, *, end: int = NOW_S // 60 * 60, **more: Any) -> Cloud:  # noqa: ANN401 - Cloud's own
    """Half a second each, as many at once as there are on average, up to `end`; a minute of 0 reports nothing."""
    seen = np.where(invocations > 0, invocations, np.nan)
    minutes = {
        "Invocations": seen,
        "Duration": seen * 500.0,
        "ConcurrentExecutions": np.ceil(seen / 120),
        "Throttles": seen * 0,
    }
    return Cloud(end - 60 * len(invocations), {**minutes, **more.pop("minutes", {})}, **more)


def past(of: Cloud) -> Recorded:
    """What is recorded of the alias `checkout-api:live` now."""
    return recorded(of, "checkout-api", "live", now=NOW)


@pytest.fixture(scope="module")
def constant() -> Recorded:
    """A hundred days of 600 invocations a minute."""
    return past(cloud(np.full(100 * 1440, 600.0)))


# --- seams -----------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=1_700_000_000, max_value=2_000_000_000))
def test_resolutions_meet_and_stay_inside_of_what_is_kept(now_s: int) -> None:
    """At whatever second: each begins where the one before ends, on a step of both, and none starts too early."""
    found = grids(datetime.fromtimestamp(now_s, UTC))
    assert [grid.step_s for grid in found] == [3600, 300, 60]
    for earlier, later in pairwise(found):
        assert earlier.end == later.start
        assert later.start % earlier.step_s == 0
    for grid, kept in zip(found, KEPT, strict=True):
        assert now_s - kept.days * DAY_S + 1800 < grid.start <= now_s - kept.days * DAY_S + 2 * 3600
    assert now_s - LATE_S - 60 < found[-1].end <= now_s - LATE_S


def test_a_constant_series_is_constant_through_all_three_resolutions(constant: Recorded) -> None:
    """Hours, five minutes and minutes say the same of it, and nothing shows at the seams."""
    assert [grid.step_s for grid in constant.grids] == [3600, 300, 60]
    assert len(constant.trace) == pytest.approx(100 * 1440, abs=60)
    assert np.allclose(constant.trace.demand, 5.0)
    assert np.allclose(constant.trace.arrivals_per_s, 10.0)
    assert constant.duration_s == pytest.approx(0.5)


@settings(max_examples=8, deadline=None)
@given(st.integers(min_value=0, max_value=2**31))
def test_no_invocation_is_lost_or_counted_twice_at_a_seam(seed: int) -> None:
    """Over whole resolutions the sums are those of the minutes that Lambda reported."""
    rng = np.random.default_rng(seed)
    invocations = rng.poisson(20, 70 * 1440).astype(np.float64) * rng.integers(0, 2, 70 * 1440)
    invocations[0] = 7
    source = cloud(invocations)
    found = past(source)
    at = source.start + 60 * np.arange(len(invocations))
    for grid in found.grids:
        told = found.invocations[(grid.start - found.trace.start) // 60 : (grid.end - found.trace.start) // 60]
        assert told.sum() == pytest.approx(invocations[(at >= grid.start) & (at < grid.end)].sum())
    whole = invocations[(at >= found.trace.start) & (at < found.trace.end)].sum()
    assert np.nansum(found.trace.arrivals_per_s) * 60 == pytest.approx(whole)
    assert np.nansum(found.trace.demand) * 60 == pytest.approx(whole * 0.5)


def test_the_newest_minutes_are_left_out(constant: Recorded) -> None:
    """At 12:34:56 the last minute is the one that ended at 12:31."""
    assert constant.trace.end == int(datetime(2026, 3, 9, 12, 31, tzinfo=UTC).timestamp())


def test_minutes_keep_their_shape_and_coarse_steps_their_mean() -> None:
    """A burst in one minute of ten is itself two days ago, and a fifth of itself twenty days ago."""
    bursts = np.tile([1200.0] + [0.0] * 9, 144 * 22)
    found = past(cloud(bursts, end=NOW_S // 600 * 600))
    assert np.unique(found.trace.demand[-2880:]).tolist() == [0.0, 10.0]
    assert np.unique(found.trace.demand[:1440]).tolist() == [0.0, 2.0]


def test_a_coarse_step_tells_no_minutes_peak() -> None:
    """It belongs to one of its minutes, nobody knows which; a minute's own is known, and an idle step's is 0."""
    bursts = np.tile([1200.0] + [0.0] * 9, 144 * 22)
    found = past(cloud(bursts, end=NOW_S // 600 * 600))
    early, late = found.trace.peak[:1440], found.trace.peak[-2880:]
    assert np.unique(early[~np.isnan(early)]).tolist() == [0.0]
    assert np.isnan(early).sum() == 720
    assert np.unique(late).tolist() == [0.0, 10.0]


# --- what is missing -------------------------------------------------------------------------------------------------


def test_there_is_no_history_before_the_first_datapoint() -> None:
    """Of an alias that is ten days old, ten days."""
    found = past(cloud(np.full(10 * 1440, 60.0)))
    assert len(found.trace) == 10 * 1440 - 3
    assert [grid.step_s for grid in found.grids] == [60]


def test_the_hour_in_which_an_alias_was_first_called_is_left_out() -> None:
    """It was called for 40 minutes of it: a mean over the hour would be wrong."""
    source = cloud(np.full(80 * 1440 + 14, 600.0))
    assert source.start % 3600 == 20 * 60
    found = past(source)
    assert found.trace.start == source.start + 40 * 60
    assert found.trace.demand[0] == pytest.approx(5.0)


def test_an_idle_minute_is_zero_and_an_unanswered_one_is_a_gap() -> None:
    """The same night, once answered whole and once in part."""
    night = np.r_[np.full(600, 60.0), np.zeros(600), np.full(600, 60.0)]
    assert past(cloud(night)).trace.demand[700] == 0
    partial = past(cloud(night, afflicted={"Invocations": Completeness.PARTIAL}))
    assert np.isnan(partial.trace.demand[700])
    assert partial.trace.demand[100] == pytest.approx(0.5)
    assert partial.partial == ("Invocations",)


def test_silence_counts_as_idle_only_while_somebody_in_the_region_reports() -> None:
    """The alias's last hour is silent: idle where others ran to the end, not known where nobody did for half of it."""
    quiet = np.r_[np.full(600, 60.0), np.zeros(64)]
    heard = past(cloud(quiet)).trace.demand
    assert heard[-60:].tolist() == [0.0] * 60
    unheard = past(cloud(quiet, anybody=NOW_S // 60 * 60 - 34 * 60)).trace.demand
    assert unheard[-61:-31].tolist() == [0.0] * 30
    assert np.isnan(unheard[-31:]).all()
    alone = past(cloud(quiet, anybody=None)).trace.demand
    assert np.isnan(alone[-60:]).all()


def test_throttled_invocations_are_demand_but_were_not_served() -> None:
    """600 served and 60 refused in a minute: 5.5 asked for, 11 arrivals a second, 600 invocations."""
    minutes = {"Throttles": np.full(3000, 60.0)}
    found = past(cloud(np.full(3000, 600.0), minutes=minutes))
    assert found.trace.demand[5] == pytest.approx(5.5)
    assert found.trace.arrivals_per_s[5] == pytest.approx(11.0)
    assert found.invocations[5] == 600


def test_minutes_that_ran_for_nobody_knows_how_long_are_gaps() -> None:
    """Invocations without a duration are no idle minutes."""
    minutes = {"Duration": np.r_[np.full(1500, 600 * 500.0), np.full(500, np.nan)]}
    found = past(cloud(np.full(2000, 600.0), minutes=minutes))
    assert np.isnan(found.trace.demand[-400:]).all()
    assert np.isnan(found.trace.arrivals_per_s[-400:]).all()
    assert found.trace.demand[0] == pytest.approx(5.0)


def test_an_alias_that_nobody_called_has_no_history() -> None:
    """It is named, and why that may be."""
    with pytest.raises(HistoryError, match=r"checkout-api:live: CloudWatch has no datapoint of it in 455 days"):
        past(cloud(np.zeros(1440)))


def test_a_refused_read_is_awss_own_error() -> None:
    """Whether the call failed or the answer says Forbidden."""
    with pytest.raises(AwsError, match="GetMetricData: Forbidden: no right"):
        past(cloud(np.ones(1440), afflicted={"Duration": Completeness.FORBIDDEN}))

    class Denied(Cloud):
        def read(self, *_: object, **__: object) -> list[Answer | AwsError | None]:
            return [AwsError("AccessDenied", "not you", "GetMetricData")] * 7

    with pytest.raises(AwsError, match="AccessDenied: not you"):
        past(Denied(NOW_S, {}))


def test_it_takes_twenty_two_series() -> None:
    """Seven in each resolution and the heartbeat; each costs."""
    source = cloud(np.ones(1440))
    past(source)
    assert source.requested == 22


# --- what was run ----------------------------------------------------------------------------------------------------


def with_capacity(invocations: FloatArray, units: FloatArray, *, spilled: float = 0.0) -> Cloud:
    """Traffic beside provisioned concurrency, as Lambda reports it: half of it in use while something runs."""
    busy = (invocations > 0) & (units > 0)
    shown = {
        "ProvisionedConcurrentExecutions": np.where(busy, np.ceil(units / 2), np.nan),
        "ProvisionedConcurrencyUtilization": np.where(busy, np.ceil(units / 2) / np.maximum(units, 1), np.nan),
        "ProvisionedConcurrencySpilloverInvocations": np.where(busy & (spilled > 0), invocations * spilled, np.nan),
    }
    return cloud(invocations, minutes=shown)


def test_capacity_is_what_its_metrics_tell_and_idle_minutes_are_guessed() -> None:
    """Ten units by day; at night nothing is reported, so what stood before is carried over."""
    day = np.r_[np.full(720, 60.0), np.zeros(480)]
    ran = past(with_capacity(np.tile(day, 3), np.full(3600, 10.0))).ran(
        NOW_S // 60 * 60 - 3600 * 60, now=capacity(10), activities=()
    )
    assert set(ran.capacity.tolist()) == {10}
    assert ran.guessed == pytest.approx(3 * 480 / 3600, abs=0.005)
    assert ran.provisioned


def test_capacity_is_told_through_all_three_resolutions() -> None:
    """A constant amount is constant over the seams, and certain wherever something ran."""
    found = past(with_capacity(np.full(70 * 1440, 60.0), np.full(70 * 1440, 10.0)))
    ran = found.ran(found.trace.start, now=capacity(10), activities=())
    assert set(ran.capacity.tolist()) == {10}
    assert ran.guessed == 0


def test_since_it_was_last_set_what_stands_now_is_certain() -> None:
    """Idle or not; before that it is not."""
    found = past(with_capacity(np.r_[np.full(60, 60.0), np.zeros(1380)], np.full(1440, 10.0)))
    set_at = datetime.fromtimestamp(found.trace.end - 600 * 60, UTC)
    now = capacity(4)
    ran = found.ran(found.trace.start, now=type(now)(4, 4, 4, now.status, last_modified=set_at), activities=())
    assert ran.capacity[-600:].tolist() == [4] * 600
    assert ran.certain[-600:].all()
    assert not ran.certain[100:-600].any()
    assert ran.capacity[100:-600].tolist() == [10] * (len(ran.capacity) - 700)


def test_an_alias_without_any_is_known_to_have_had_none() -> None:
    """It ran, and nothing of provisioned concurrency was reported."""
    found = past(cloud(np.full(1440, 60.0)))
    ran = found.ran(found.trace.start, now=None, activities=())
    assert not ran.provisioned
    assert ran.guessed == 0


def test_spillover_that_was_not_reported_beside_use_is_none() -> None:
    """Else only the minutes that spilled would be audited."""
    found = past(with_capacity(np.full(1440, 60.0), np.full(1440, 10.0)))
    assert np.nansum(found.spilled) == 0
    assert not np.isnan(found.spilled).any()
    spilling = past(with_capacity(np.full(1440, 60.0), np.full(1440, 10.0), spilled=0.25))
    assert spilling.spilled[0] == 15


def test_the_resolutions_of_a_span_are_counted_in_minutes() -> None:
    """Twenty days back, five are in steps of five minutes."""
    found = past(cloud(np.full(30 * 1440, 60.0)))
    days = found.spread(found.trace.end - 20 * DAY_S, found.trace.end)
    assert sum(days.values()) == 20 * 1440
    assert days[300] == pytest.approx(timedelta(days=5) / timedelta(minutes=1), abs=120)
