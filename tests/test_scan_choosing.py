"""Which aliases a scan measures, what that costs beforehand, and how close functions came to their limits."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from builders import NOON, capacity
from measuring import DENIED, FakeSeries
from scripted import StepClock
from warmcast.aws.wire import Pace
from warmcast.commands.progress import LINE_EVERY_S, Watch
from warmcast.errors import AwsError
from warmcast.model.asked import Completeness
from warmcast.scan.choosing import chosen
from warmcast.scan.estimate import CONTROL_PLANE_PER_S, altogether_s, estimate
from warmcast.scan.extremes import extremes
from warmcast.scan.found import AliasSeen, FunctionSeen, Place, Scaling
from warmcast.scan.measure import LATEST, queries_of

PLACE = Place("111122223333", "us-east-1")
PLAIN = FunctionSeen("checkout-api", "python3.13", "Zip", 1024, "arm64", 30.0)
NAMED = replace(PLAIN, aliases={"live": AliasSeen("7"), "beta": AliasSeen("8")})
MUCH = 14 * 1000.0


@pytest.mark.parametrize(
    ("function", "invocations", "qualifiers"),
    [
        (replace(PLAIN, provisioned={"live": capacity(5)}), 0.0, ["live"]),
        (replace(PLAIN, scaling={"live": Scaling(0, 5)}), 0.0, ["live"]),
        (replace(NAMED, provisioned={"3": capacity(5)}), 0.0, ["3"]),
        (replace(NAMED, provisioned={"3": capacity(5)}), MUCH, ["3", "beta", "live"]),
        (NAMED, MUCH, ["beta", "live"]),
        (NAMED, MUCH - 1, []),
        (PLAIN, MUCH, [LATEST]),
        (replace(PLAIN, unread=("aliases: AccessDenied: no",)), MUCH, []),
        (NAMED, float("nan"), []),
    ],
)
def test_what_could_cost_or_save_is_measured(function: FunctionSeen, invocations: float, qualifiers: list[str]) -> None:
    """What has provisioned concurrency always; much traffic by its aliases, or by none where it certainly has none."""
    found = chosen([function], {"checkout-api": invocations}, days=14)
    assert [one.qualifier for one in found] == qualifiers


def test_a_function_of_which_no_traffic_is_known_is_left_out() -> None:
    """CloudWatch was not asked, or refused."""
    assert chosen([NAMED], {}, days=14) == ()


def test_the_estimate_is_that_of_its_worked_example() -> None:
    """1,000 functions over 14 days."""
    told = estimate(PLACE, 1000, days=14)
    assert (told.first_metrics, told.most_metrics, told.calls) == (1000, 11_001, 2021)
    assert (told.first_usd, told.most_usd) == pytest.approx((0.01, 0.11001))
    assert told.seconds == pytest.approx(2021 / 4 + 326 * 0.6)


def test_the_estimate_knows_what_is_asked_of_an_alias_and_how_fast() -> None:
    """A series more in `measure`, or another pace, and it is another estimate."""
    one = chosen([replace(PLAIN, provisioned={"live": capacity(5)})], {}, days=14)[0]
    assert estimate(PLACE, 1, days=14).most_metrics == len(queries_of(one)) + 3 + 1
    assert CONTROL_PLANE_PER_S == Pace.CONTROL_PLANE_PER_S


def test_regions_are_read_side_by_side() -> None:
    """The longest tells how long it takes; nothing takes none."""
    told = [estimate(PLACE, functions, days=14) for functions in (10, 700, 300)]
    assert altogether_s(told) == told[1].seconds
    assert altogether_s([]) == 0.0


def test_extremes_are_of_whole_functions_and_of_the_region() -> None:
    """Two queries each and one more; what reported nothing had nothing."""
    series = FakeSeries()
    series.give("ConcurrentExecutions", [3.0, 9.0, np.nan], function="a")
    series.give("Throttles", [2.0, np.nan, 5.0], function="a")
    series.give("ConcurrentExecutions", [80.0], function="")
    seen = extremes(series, ["a", "b"], now=NOON, days=14)
    assert (seen.peaks, seen.throttles) == ({"a": 9.0, "b": 0.0}, {"a": 7.0, "b": 0.0})
    assert (seen.account_peak, series.requested) == (80.0, 5)


def test_extremes_that_came_in_part_are_as_much_as_is_certain() -> None:
    """A part has a highest, and no sum."""
    series = FakeSeries(fates={"ConcurrentExecutions": Completeness.PARTIAL, "Throttles": Completeness.PARTIAL})
    series.give("ConcurrentExecutions", [3.0, 9.0], function="a")
    series.give("Throttles", [2.0, 5.0], function="a")
    seen = extremes(series, ["a"], now=NOON, days=14)
    assert seen.peaks == {"a": 9.0}
    assert np.isnan(seen.throttles["a"])
    assert np.isnan(seen.account_peak)


def test_extremes_that_are_refused_altogether_are_an_error() -> None:
    """The place then has a row that says so."""
    refused = FakeSeries(fates={"ConcurrentExecutions": DENIED, "Throttles": DENIED})
    with pytest.raises(AwsError, match="not authorized"):
        extremes(refused, ["a"], now=NOON, days=14)


# --- progress --------------------------------------------------------------------------------------------------------


def test_without_a_terminal_a_long_part_tells_a_line_now_and_then() -> None:
    """Nothing in the first quarter of a minute, then a line at most that often."""
    told, clock = io.StringIO(), StepClock()
    with Watch(Console(file=told), clock) as watch:
        for done in range(100):
            watch.tell("us-east-1", "aliases", done, 100)
            clock.sleep(LINE_EVERY_S / 10)
    lines = told.getvalue().splitlines()
    assert lines[0] == "us-east-1: aliases 10 of 100"
    assert len(lines) == 9


def test_on_a_terminal_each_part_has_a_bar() -> None:
    """Where it is, and of how much."""
    told = io.StringIO()
    with Watch(Console(file=told, force_terminal=True, width=100), StepClock()) as watch:
        watch.tell("us-east-1", "functions", 50, 0)
        watch.tell("us-east-1", "aliases", 3, 7)
    assert "us-east-1: aliases" in told.getvalue()
    assert "3/7" in told.getvalue()


def test_a_watch_that_is_stopped_says_so_to_every_thread() -> None:
    """It is asked before each call."""
    watch = Watch(Console(file=io.StringIO()), StepClock())
    assert watch.going()
    watch.stop()
    assert not watch.going()
