"""Bounds: the precedence of layers, floors that are READY as a window opens, and the words that name the rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warmcast.calendar import Bounds, bounds, occurrences
from warmcast.fleet import Policy
from warmcast.fleet.values import wall_text
from warmcast.model import Override

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
AHEAD = timedelta(minutes=8)  # a lead time of three minutes and a tick of five


def policy(*windows: dict[str, object], least: int = 2, most: int = 400, zone: str = "UTC") -> Policy:
    """A policy with a capacity and windows as YAML would give them."""
    capacity = {"min": least, "max": most}
    keys = {"function": "api", "qualifier": "live", "capacity": capacity, "timezone": zone, "stack_owns_config": False}
    return Policy.model_validate({**keys, "schedule": list(windows)})


def window(start: str, end: str, *, name: str | None = None, **bound: int) -> dict[str, object]:
    """A daily window."""
    return {"from": start, "to": end, "name": name, **bound}


def at(clock: str) -> datetime:
    """A time of that Monday."""
    return datetime.fromisoformat(f"2026-11-23T{clock}+00:00")


def now(rules: Policy, clock: str, override: Override | None = None) -> Bounds:
    """Bounds at one instant."""
    return bounds(rules, at(clock), at(clock), override)


OFFICE = window("08:00", "19:00", name="office hours", min=20)
NIGHT = window("22:00", "06:00", name="night", max=1)
INCIDENT = Override(until=at("13:00"), reason="incident 4711", by="ana", minimum=50)


@pytest.mark.parametrize(
    ("clock", "floor"),
    [("07:51", 2), ("07:52", 20), ("07:59", 20), ("08:00", 20), ("18:59", 20), ("19:00", 2)],
)
def test_a_floor_is_ready_when_its_window_opens(clock: str, floor: int) -> None:
    """With 8 minutes ahead the floor of 08:00 holds from 07:52 on, and ends at 19:00 sharp."""
    assert bounds(policy(OFFICE), at(clock), at(clock) + AHEAD).floor == floor


@pytest.mark.parametrize(
    ("clock", "floor", "ceiling"), [("21:55", 2, 400), ("22:00", 1, 1), ("05:55", 1, 1), ("06:00", 2, 400)]
)
def test_a_ceiling_is_that_of_now(clock: str, floor: int, ceiling: int) -> None:
    """Nothing is lowered before the night begins, nor kept down after it."""
    found = bounds(policy(NIGHT), at(clock), at(clock))

    assert (found.floor, found.ceiling) == (floor, ceiling)


def test_a_floor_ahead_lifts_a_ceiling_of_the_same_layer() -> None:
    """At 07:55 the night's ceiling of 1 still holds, but 20 must be READY at 08:00: warmth was promised."""
    rules = policy(OFFICE, window("22:00", "08:00", name="night", max=1))

    assert bounds(rules, at("07:51"), at("07:51") + AHEAD) == Bounds(1, 1, "schedule: night", "schedule: night")
    assert bounds(rules, at("07:55"), at("07:55") + AHEAD) == Bounds(
        20, 20, "schedule: office hours", "schedule: office hours"
    )


def test_within_a_layer_the_highest_floor_and_the_highest_ceiling_win() -> None:
    """Two windows overlap from 10:00 to 12:00."""
    rules = policy(
        window("08:00", "12:00", name="low", min=5, max=10), window("10:00", "14:00", name="high", min=8, max=30)
    )

    assert now(rules, "09:00") == Bounds(5, 10, "schedule: low", "schedule: low")
    assert now(rules, "11:00") == Bounds(8, 30, "schedule: high", "schedule: high")
    assert now(rules, "13:00") == Bounds(8, 30, "schedule: high", "schedule: high")
    assert now(rules, "14:00") == Bounds(2, 400, "capacity.min", "capacity.max")


def test_a_layer_that_sets_one_bound_leaves_the_other_to_the_layer_below() -> None:
    """Office hours say no ceiling, the night says no floor."""
    assert now(policy(OFFICE), "12:00") == Bounds(20, 400, "schedule: office hours", "capacity.max")


def test_the_schedule_decides_even_where_it_asks_for_less_than_capacity() -> None:
    """A window may lower the floor and raise the ceiling: the higher layer decides, not the higher number."""
    rules = policy(window("08:00", "12:00", name="quiet", min=1), window("08:00", "12:00", name="sale", max=900))

    assert now(rules, "09:00") == Bounds(1, 900, "schedule: quiet", "schedule: sale")


def test_a_floor_of_the_schedule_above_the_ceiling_of_capacity_wins() -> None:
    """The higher layer's bound wins, and lifts the ceiling with it."""
    found = now(policy(window("08:00", "12:00", name="sale", min=30), most=10), "09:00")

    assert found == Bounds(30, 30, "schedule: sale", "schedule: sale")


def test_a_ceiling_of_the_schedule_below_the_floor_of_capacity_wins() -> None:
    """The higher layer's bound wins, and presses the floor down with it."""
    assert now(policy(NIGHT), "23:00") == Bounds(1, 1, "schedule: night", "schedule: night")


def test_within_the_schedule_a_floor_wins_over_another_windows_ceiling() -> None:
    """Rules of one layer that contradict each other: warmth was promised."""
    rules = policy(OFFICE, window("12:00", "13:00", name="lunch", max=5))

    assert now(rules, "12:30") == Bounds(20, 20, "schedule: office hours", "schedule: office hours")


def test_an_override_stands_above_the_schedule_until_it_expires() -> None:
    """The incident's floor of 50 ends at 13:00, exclusive."""
    assert now(policy(OFFICE), "12:59", INCIDENT) == Bounds(50, 400, "override by ana: incident 4711", "capacity.max")
    assert now(policy(OFFICE), "13:00", INCIDENT) == Bounds(20, 400, "schedule: office hours", "capacity.max")


def test_an_overrides_floor_may_exceed_capacity() -> None:
    """An engineer who asks for 50 gets 50 although the policy allows 10; the account's budget stands outside."""
    assert now(policy(most=10), "12:00", INCIDENT).ceiling == 50


def test_an_overrides_ceiling_holds_down_a_floor_ahead() -> None:
    """A cap that outlives the opening of a window wins over the window; one that ends before does not."""
    cap = Override(until=at("09:00"), reason="database", maximum=5)

    assert bounds(policy(OFFICE), at("07:55"), at("07:55") + AHEAD, cap) == Bounds(
        5, 5, "override: database", "override: database"
    )
    assert now(policy(OFFICE), "09:00", cap).floor == 20


def test_a_floor_that_an_expiring_override_uncovers_is_foreseen() -> None:
    """The override's floor of 3 ends at 12:04, and office hours' 20 stand behind it; its ceiling still holds now."""
    low = Override(until=at("12:04"), reason="test", minimum=3)
    capped = Override(until=at("12:04"), reason="test", minimum=3, maximum=3)

    assert bounds(policy(OFFICE), at("12:00"), at("12:08"), low).floor == 20
    assert bounds(policy(OFFICE), at("12:00"), at("12:08"), capped).floor == 3


def test_a_window_without_a_name_is_called_by_its_rule() -> None:
    """Explanations need words for it."""
    weekly = policy({"days": "sat-mon", "from": "08:00", "to": "24:00", "min": 3})
    cron = policy({"cron": "0 8 * * *", "for": "90m", "min": 3})

    assert now(weekly, "09:00").floor_rule == "schedule: mon,sat,sun 08:00-24:00"
    assert now(cron, "09:00").floor_rule == "schedule: 0 8 * * * for 1:30:00"


def test_windows_follow_the_targets_zone() -> None:
    """08:00 in New York is 13:00 UTC in November."""
    rules = policy(OFFICE, zone="America/New_York")

    assert (now(rules, "12:59").floor, now(rules, "13:00").floor) == (2, 20)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 95), st.integers(0, 96), st.none() | st.integers(0, 40), st.none() | st.integers(40, 90)
        ),
        max_size=4,
    ),
    st.integers(0, 2879),
    st.integers(0, 90),
    st.none() | st.tuples(st.integers(0, 2879), st.none() | st.integers(0, 60), st.none() | st.integers(0, 60)),
)
def test_bounds_are_those_of_a_minute_by_minute_reading_of_the_precedence(
    drawn: list[tuple[int, int, int | None, int | None]],
    start: int,
    ahead: int,
    overriding: tuple[int, int | None, int | None] | None,
) -> None:
    """The sentence of the documentation, read naively at every minute of the interval."""
    windows: list[dict[str, object]] = [
        {"from": wall_text(15 * first), "to": wall_text(15 * last), "min": low, "max": high}
        for first, last, low, high in drawn
        if first != last and (low, high) != (None, None)
    ]
    rules = policy(*windows, least=2, most=50)
    begin, override = MONDAY + timedelta(minutes=start), None
    if overriding is not None:
        until, low, high = overriding
        override = Override(until=MONDAY + timedelta(minutes=until), reason="x", minimum=low, maximum=high)

    def naive(minute: datetime) -> list[tuple[int, int]]:
        """Floor and ceiling, each as (layer, value)."""
        held = [
            each
            for each in rules.schedule
            if occurrences(each, rules.timezone, minute, minute + timedelta(microseconds=1))
        ]
        floors = [(0, 2), *((1, each.min) for each in held if each.min is not None)]
        ceilings = [(0, 50), *((1, each.max) for each in held if each.max is not None)]
        if override is not None and minute < override.until:
            floors += [(3, override.minimum)] if override.minimum is not None else []
            ceilings += [(3, override.maximum)] if override.maximum is not None else []
        return settle(max(floors), max(ceilings))

    def settle(floor: tuple[int, int], ceiling: tuple[int, int]) -> list[tuple[int, int]]:
        if floor[1] <= ceiling[1]:
            return [floor, ceiling]
        return [ceiling] * 2 if ceiling[0] > floor[0] else [floor] * 2

    minutes = [begin + timedelta(minutes=step) for step in range(ahead + 1)]
    highest = max((naive(minute)[0] for minute in minutes), key=lambda bound: (bound[1], bound[0]))
    floor, ceiling = settle(highest, naive(begin)[1])
    found = bounds(rules, begin, minutes[-1], override)

    assert (found.floor, found.ceiling) == (floor[1], ceiling[1])
