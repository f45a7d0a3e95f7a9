"""What stood there: from what stands now, from scaling activities, from what was in use, and carried over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from builders import NOON, capacity
from warmcast.model import Capacity, FloatArray, Status
from warmcast.model.asked import Grid
from warmcast.scan.found import Activity
from warmcast.scan.standing import Readings, Standing, reported, standing

STEPS = 12
END_S = int(NOON.timestamp())
GRID = Grid(END_S - STEPS * 300, END_S, 300)
NONE = float("nan")
SET_LATELY = Capacity(5, 5, 5, Status.READY, last_modified=NOON - timedelta(minutes=5))
"""Five units, set a step before the end: nothing before that is told by it."""


def at(step: float) -> datetime:
    """The instant at which a step begins."""
    return datetime.fromtimestamp(GRID.start + 300 * step, UTC)


def readings(
    units: dict[int, float], *, in_use: float = 2, ran: frozenset[int] = frozenset(), complete: bool = True
) -> Readings:
    """What CloudWatch reports where that many units stood and two were in use; `ran`: steps without any of it."""
    used, share, spilled, invoked = (np.full(STEPS, np.nan) for _ in range(4))
    for step, count in units.items():
        used[step], share[step], spilled[step], invoked[step] = in_use, in_use / count, 0.0, 10.0
    invoked[list(ran)] = 10.0
    return Readings(np.nan_to_num(invoked), used, share, spilled, complete=complete)


def activity(step: float, units: int | None, status: str = "Successful") -> Activity:
    """A scaling activity at a step."""
    return Activity(at(step), units, f"Setting desired concurrency to {units}.", "a scheduled action", status)


def rounded(stood: Standing) -> list[str]:
    """Each step as a word: the units, in brackets where they are not certain."""
    words = []
    for units, certain in zip(stood.capacity, stood.certain, strict=True):
        words.append("?" if np.isnan(units) else f"{units:g}" if certain else f"({units:g})")
    return words


@pytest.mark.parametrize(
    ("in_use", "utilization", "told"),
    [
        (4, 0.4, 10),
        (4, 0.057, 70),
        (4, 4 / 70, 70),
        (1, 0.333, 3),
        (1, 1.0, 1),
        (250, 0.5, 500),
        (4, 0.0066, NONE),
        (4, 0.3, NONE),
        (0, 0.0, NONE),
        (3, 0.0, NONE),
        (NONE, NONE, NONE),
    ],
)
def test_units_are_told_where_one_whole_number_explains_what_was_in_use(
    in_use: float, utilization: float, told: float
) -> None:
    """The table of the module's docstring, and where the utilization is too low or nothing fits."""
    invoked, used, share, spilled = (np.array([value]) for value in (0.0, in_use, utilization, NONE))
    one = Readings(invoked, used, share, spilled)
    np.testing.assert_array_equal(reported(one), [told])


@pytest.mark.parametrize("units", [1, 2, 3, 7, 10, 33, 70, 150, 400])
@pytest.mark.parametrize("decimals", [3, 6, 15])
def test_what_is_told_is_right_however_finely_aws_reports(units: int, decimals: int) -> None:
    """Of every number in use, the units that stood or nothing; all of them told when half of them are in use."""
    used = np.arange(1, units + 1, dtype=np.float64)
    nothing = np.full(units, np.nan)
    told = reported(Readings(nothing, used[::-1], np.round(used / units, decimals)[::-1], nothing))[::-1]
    assert set(told[~np.isnan(told)]) <= {float(units)}
    assert not np.isnan(told[units // 2 :]).any()


def test_what_stands_now_stood_since_it_was_set() -> None:
    """`LastModified` tells when; before it, what was seen is carried over."""
    now = Capacity(8, 8, 8, Status.READY, last_modified=at(9.5))
    stood = standing(GRID, readings({3: 20}), now=now)
    assert rounded(stood) == ["(20)"] * 3 + ["20"] + ["(20)"] * 5 + ["8"] * 3


def test_a_config_that_was_never_seen_in_use_is_carried_back() -> None:
    """An alias that idles the whole time: since it was set it is certain, before that a guess."""
    stood = standing(GRID, readings({}), now=Capacity(8, 8, 8, Status.READY, last_modified=at(10)))
    assert rounded(stood) == ["(8)"] * 10 + ["8"] * 2


def test_a_config_set_before_the_time_looked_at_is_certain_throughout() -> None:
    """Idle or not: nobody has touched it since."""
    stood = standing(GRID, readings({}), now=Capacity(8, 8, 8, Status.READY, last_modified=at(-500)))
    assert rounded(stood) == ["8"] * STEPS


def test_without_the_instant_only_the_last_step_is_certain() -> None:
    """AWS always tells it today; if it does not, what stands now says nothing of an hour ago."""
    assert rounded(standing(GRID, readings({}), now=capacity(8))) == ["(8)"] * 11 + ["8"]


def test_a_config_that_is_gone_was_there_until_it_was_not_seen_any_more() -> None:
    """Seen in use, then the alias ran and nothing of it was reported."""
    stood = standing(GRID, readings({2: 10, 5: 10}, ran=frozenset({8})), now=None)
    assert rounded(stood) == ["(10)", "(10)", "10", "(10)", "(10)", "10", "(10)", "(10)", "0", "(0)", "(0)", "0"]


def test_what_failed_stands_as_far_as_it_was_allocated() -> None:
    """A request whose environments could not be initialised gives nothing."""
    failed = Capacity(8, 0, 0, Status.FAILED, last_modified=at(-1))
    assert rounded(standing(GRID, readings({}), now=failed)) == ["0"] * STEPS


def test_a_request_under_way_counts_in_full() -> None:
    """AWS bills from the request on."""
    raised = Capacity(30, 10, 10, Status.IN_PROGRESS, last_modified=at(11))
    assert rounded(standing(GRID, readings({4: 10}), now=raised))[-2:] == ["(10)", "30"]


def test_an_idle_stretch_keeps_what_was_before_it() -> None:
    """Idle, Lambda reports nothing: what was there is carried over, and not certain."""
    stood = standing(GRID, readings({0: 4, 1: 4, 8: 4}), now=SET_LATELY)
    assert rounded(stood) == ["4", "4"] + ["(4)"] * 6 + ["4", "(4)", "(4)", "5"]


def test_a_change_while_idle_is_seen_when_it_runs_again() -> None:
    """Nobody knows when it was: what was before stands until then."""
    stood = standing(GRID, readings({1: 40, 9: 8, 10: 8}), now=SET_LATELY)
    assert rounded(stood) == ["(40)", "40"] + ["(40)"] * 7 + ["8", "8", "5"]


def test_a_scaling_activity_tells_a_change_while_idle() -> None:
    """A scheduled action took it down at night: from there on it is certain, until it runs with what it named."""
    down = activity(4.2, 8)
    stood = standing(GRID, readings({1: 40, 9: 8, 10: 8}), now=SET_LATELY, activities=[down])
    assert rounded(stood) == ["(40)", "40", "(40)", "(40)"] + ["8"] * 7 + ["5"]


def test_each_activity_holds_until_the_next_whatever_their_order() -> None:
    """Application Auto Scaling lists the newest first."""
    ups = [activity(8, 6), activity(4, 2), activity(1, 9)]
    stood = standing(GRID, readings({}), now=SET_LATELY, activities=ups)
    assert rounded(stood) == ["(9)"] + ["9"] * 3 + ["2"] * 4 + ["6"] * 3 + ["5"]


def test_the_last_activity_before_the_time_looked_at_holds_from_its_beginning() -> None:
    """Activities are kept for six weeks."""
    stood = standing(GRID, readings({}), now=SET_LATELY, activities=[activity(-900, 3), activity(-20, 7)])
    assert rounded(stood) == ["7"] * 11 + ["5"]


def test_an_activity_ends_where_cloudwatch_contradicts_it() -> None:
    """Someone set it by hand at some time before step 6: the hours before stay told, what follows is what was seen."""
    stood = standing(GRID, readings({6: 20}), now=SET_LATELY, activities=[activity(0, 4)])
    assert rounded(stood) == ["4"] * 6 + ["20"] + ["(20)"] * 4 + ["5"]


def test_what_was_there_may_still_be_seen_while_an_activity_takes_effect() -> None:
    """The units are asked for and billed; until they are READY, the utilization is that of the old ones."""
    stood = standing(GRID, readings({1: 4, 2: 4, 3: 4, 6: 20}), now=SET_LATELY, activities=[activity(2, 20)])
    assert rounded(stood) == ["(4)", "4"] + ["20"] * 9 + ["5"]


@pytest.mark.parametrize("told", [activity(2, None), activity(2, 20, "Failed"), activity(2, 20, "Overridden")])
def test_an_activity_that_set_nothing_tells_nothing(told: Activity) -> None:
    """It names no capacity, or AWS did not carry it out."""
    assert rounded(standing(GRID, readings({0: 4}), now=SET_LATELY, activities=[told]))[1:4] == ["(4)"] * 3


def test_the_step_of_a_change_under_load_tells_nothing() -> None:
    """Most in use and highest utilization are of different minutes: 12 of 20, after 9 of 10, would make 13."""
    mixed = readings({4: 10, 6: 20}, in_use=5)
    mixed.in_use[5], mixed.utilization[5], mixed.spilled[5], mixed.invocations[5] = 9.75, 0.75, 0.0, 10.0
    assert rounded(standing(GRID, mixed, now=SET_LATELY))[4:7] == ["10", "(10)", "20"]


def test_an_alias_that_runs_without_a_word_of_provisioned_concurrency_has_none() -> None:
    """Each invocation uses it or spills over; deleted at night, put back in the morning."""
    off = frozenset({3, 4})
    stood = standing(GRID, readings({1: 10, 7: 10}, ran=off), now=SET_LATELY)
    assert rounded(stood) == ["(10)", "10", "(10)", "0", "0", "(0)", "(0)", "10", "(10)", "(10)", "(10)", "5"]


def test_silence_tells_nothing_where_the_answer_was_not_complete() -> None:
    """A datapoint that is missing from a partial answer may exist."""
    partial = readings({1: 10}, ran=frozenset({3, 4}), complete=False)
    assert rounded(standing(GRID, partial, now=SET_LATELY)) == ["(10)", "10"] + ["(10)"] * 9 + ["5"]


def test_where_nothing_is_known_it_says_so() -> None:
    """What stands now could not be read, and nothing ran."""
    stood = standing(GRID, readings({}), now=None, known_now=False)
    assert rounded(stood) == ["?"] * STEPS


def test_against_a_naive_walk_over_every_step() -> None:
    """The whole rule in a plain loop, on made histories: changes by hand and by schedule, seen a third of the time."""
    rng = np.random.default_rng(4)
    for _ in range(200):
        units, ran = rng.integers(1, 30, size=STEPS), rng.random(STEPS) < 0.35
        seen = readings({int(step): float(units[step]) for step in np.flatnonzero(ran)}, in_use=1)
        named = [activity(float(step), int(rng.integers(1, 30))) for step in np.flatnonzero(rng.random(STEPS) < 0.15)]
        stood = standing(GRID, seen, now=SET_LATELY, activities=named)
        np.testing.assert_array_equal(stood.capacity, walked(reported(seen), named))


def walked(read: FloatArray, activities: list[Activity]) -> list[float]:
    """The same, step by step."""
    named = {int((a.at.timestamp() - GRID.start) // 300): a.capacity for a in activities}
    held: float | None = None
    since, told = 0, []
    for step in range(STEPS):
        if step in named:
            held, since = named[step], step
        contradicted = not np.isnan(read[step]) and read[step] != held and step > since + 3
        held = None if contradicted else held
        told.append(5.0 if step == STEPS - 1 else read[step] if held is None else float(held))
    known = [value for value in told if not np.isnan(value)]
    carried, last = [], known[0]
    for value in told:
        last = last if np.isnan(value) else value
        carried.append(last)
    return carried


def test_a_series_with_more_decimals_is_taken_at_its_word() -> None:
    """One in use of 150 is 0.007, which 150 explains no better than 140 does; 0.006667 tells, and so does 1/150."""
    unknown = np.full(2, NONE)
    for utilization, told in ((0.007, NONE), (0.006667, 150), (1 / 150, 150)):
        of_one = Readings(np.ones(2), np.ones(2), np.array([utilization, 0.5]), unknown)
        np.testing.assert_array_equal(reported(of_one), [told, 2])
