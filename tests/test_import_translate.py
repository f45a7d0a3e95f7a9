"""What becomes of one scalable target: windows as people would write them, and a reason for whatever is left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from warmcast.importing.translate import Imported, translate
from warmcast.scan.found import Scaling, Scheduled, Tracking

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
LONDON = "Europe/London"
WARM = Scheduled("warm", "cron(0 8 ? * MON-FRI *)", LONDON, minimum=20)
COOL = Scheduled("cool", "cron(0 19 ? * MON-FRI *)", LONDON, minimum=2)


def imported(*actions: Scheduled, minimum: int = 2, maximum: int = 400, suspended: tuple[str, ...] = ()) -> Imported:
    """A scalable target with these actions, translated at noon of a Monday."""
    return translate("f", "live", Scaling(minimum, maximum, scheduled=actions, suspended=suspended), NOW)


def windows(found: Imported) -> list[str]:
    """Each window on one line, as `key value` pairs."""
    return [", ".join(f"{key} {value}" for key, value in draft.keys().items()) for draft in found.windows]


def reasons(found: Imported) -> dict[str, str]:
    """Why each action was left out."""
    return {left.action: left.reason for left in found.left}


def test_office_hours_become_one_window() -> None:
    """One action raises the minimum and another lowers it: the higher stands in between."""
    found = imported(WARM, COOL)
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 19:00, min 20"]
    assert (found.minimum, found.maximum, str(found.zone), found.left) == (2, 400, LONDON, ())


def test_minimum_and_maximum_of_the_same_hours_are_one_window() -> None:
    """And the capacity is the pair that holds the rest of the time, not the one that stands now."""
    day = Scheduled("day", "cron(0 8 * * ? *)", minimum=20, maximum=300)
    night = Scheduled("night", "cron(0 22 * * ? *)", minimum=2, maximum=50)
    found = imported(day, night)
    assert windows(found) == ["name night, days daily, from 22:00, to 08:00, min 2, max 50"]
    assert (found.minimum, found.maximum) == (20, 300)


def test_what_an_action_sets_holds_over_the_weekend_until_the_next_one() -> None:
    """The end of a weekday restores nothing: Friday's last value holds to Monday, cut at midnights."""
    off = Scheduled("off", "cron(0 19 ? * FRI *)", minimum=1)
    late = Scheduled("late", "cron(0 22 ? * SUN *)", minimum=5)
    on = Scheduled("on", "cron(0 8 ? * MON *)", minimum=20)
    assert windows(imported(off, late, on)) == [
        "name off, days fri, from 19:00, to 24:00, min 1",
        "name off 2, days sat, from 00:00, to 24:00, min 1",
        "name off 3, days sun, from 00:00, to 22:00, min 1",
        "name late, days sun, from 22:00, to 08:00, min 5",
    ]


def test_certain_dates_become_cron_windows_over_the_weekly_ones() -> None:
    """The end of the month goes on top, for the three hours until the action that undoes it."""
    up = Scheduled("month end", "cron(0 2 28-31 * ? *)", LONDON, minimum=60)
    down = Scheduled("month end is over", "cron(0 5 28-31 * ? *)", LONDON, minimum=2)
    found = imported(WARM, COOL, up, down)
    assert found.left == ()
    assert windows(found) == [
        "name warm, days mon-fri, from 08:00, to 19:00, min 20",
        "name month end, cron 0 2 28-31 * *, for 3h, min 60",
    ]


def test_seasons_become_cron_windows_of_their_months() -> None:
    """Each for as long as it lasts every time."""
    usual = Scheduled("usual", "cron(0 8 ? 1-10 MON-FRI *)", LONDON, minimum=20)
    busy = Scheduled("busy", "cron(0 8 ? 11,12 MON-FRI *)", LONDON, minimum=50)
    assert windows(imported(usual, busy, COOL)) == [
        "name usual, cron 0 8 * 1-10 mon-fri, for 11h, min 20",
        "name busy, cron 0 8 * 11-12 mon-fri, for 11h, min 50",
    ]


def test_a_date_whose_value_lasts_differently_long_is_left_out_with_the_reason() -> None:
    """The first of a month holds to the next weekday's 08:00: 6 hours, or days."""
    first = Scheduled("first", "cron(0 2 1 * ? *)", LONDON, minimum=60)
    found = imported(WARM, COOL, first)
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 19:00, min 20"]
    assert "does not last equally long" in reasons(found)["first"]


def test_zones_that_keep_their_distance_are_one_zone() -> None:
    """19:00 UTC is 04:00 of the next day in Tokyo all year: Friday's closes on Saturday."""
    warm = Scheduled("warm", "cron(0 8 ? * MON-FRI *)", "Asia/Tokyo", minimum=20)
    cool = Scheduled("cool", "cron(0 19 ? * MON-FRI *)", minimum=2)
    found = imported(warm, cool)
    assert (str(found.zone), found.left) == ("Asia/Tokyo", ())
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 04:00, min 20"]


def test_a_zone_that_moves_against_the_others_is_left_out() -> None:
    """London and New York change their clocks on other days."""
    noon = Scheduled("noon", "cron(0 12 ? * * *)", "America/New_York", minimum=9)
    found = imported(WARM, COOL, noon)
    assert list(reasons(found)) == ["noon"]
    assert "America/New_York" in reasons(found)["noon"]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Scheduled("x", "at(2026-12-24T00:00:00)", LONDON, minimum=3), "happens once"),
        (Scheduled("x", "cron(0 8 ? * FRI-MON *)", LONDON, minimum=3), "runs backwards"),
        (Scheduled("x", "cron(0 9 * * ? *)", "Mars/Olympus", minimum=3), "time zone Mars/Olympus"),
        (Scheduled("x", "cron(0 9 * * ? 2028)", LONDON, minimum=3), "begins in a later year"),
        (
            Scheduled("x", "cron(0 9 * * ? *)", LONDON, start=datetime(2027, 1, 1, tzinfo=UTC), minimum=3),
            "begins later",
        ),
        (Scheduled("x", "rate(6 hours)", minimum=3), "from when it counts"),
        (
            Scheduled("x", "rate(5 hours)", start=datetime(2026, 1, 1, tzinfo=UTC), minimum=3),
            "does not keep the same distance",
        ),
        (Scheduled("x", "cron(0 9 * * ? *)", LONDON, minimum=500), "minimum above the maximum"),
    ],
)
def test_what_no_window_says_is_left_out_with_the_reason_and_the_rest_stays(action: Scheduled, reason: str) -> None:
    """The others are translated as if it were not there."""
    found = imported(WARM, COOL, action)
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 19:00, min 20"]
    assert reason in reasons(found)["x"]


@pytest.mark.parametrize(
    "action",
    [
        Scheduled("x", "at(2026-10-24T00:00:00)", LONDON, minimum=3),
        Scheduled("x", "cron(0 9 * * ? 2024-2025)", LONDON, minimum=3),
        Scheduled("x", "cron(0 9 * * ? *)", LONDON, end=datetime(2026, 11, 1, tzinfo=UTC), minimum=3),
        Scheduled("x", "cron(0 9 30 2 ? *)", LONDON, minimum=3),
        Scheduled("x", "cron(0 9 * * ? *)", LONDON),
    ],
)
def test_what_has_no_effect_any_more_is_only_remarked_on(action: Scheduled) -> None:
    """What is over, never comes or sets nothing is no loss."""
    found = imported(WARM, COOL, action)
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 19:00, min 20"]
    assert found.left == ()
    assert any(remark.startswith("x: ") for remark in found.remarks)


@pytest.mark.parametrize(
    ("action", "since"),
    [
        (
            Scheduled("warm", WARM.expression, LONDON, end=datetime(2026, 12, 1, tzinfo=UTC), minimum=20),
            datetime(2026, 12, 1, tzinfo=UTC),
        ),
        (Scheduled("warm", "cron(0 8 ? * MON-FRI 2025-2026)", LONDON, minimum=20), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_action_that_ends_is_translated_and_its_end_is_named(action: Scheduled, since: datetime) -> None:
    """The policy is the same until then, and the word says from when on it is not."""
    found = imported(action, COOL)
    assert windows(found) == ["name warm, days mon-fri, from 08:00, to 19:00, min 20"]
    (left,) = found.left
    assert (left.action, left.since, left.partly) == ("warm", since, True)


def test_suspended_actions_are_left_out_and_what_stands_is_kept() -> None:
    """AWS does not carry them out now."""
    found = imported(WARM, COOL, minimum=7, suspended=("ScheduledScalingSuspended",))
    assert (found.minimum, windows(found)) == (7, [])
    assert set(reasons(found)) == {"warm", "cool"}


def test_of_two_values_at_one_time_the_higher_is_taken_and_the_other_named() -> None:
    """AWS does not say which of two actions at the same minute comes last."""
    other = Scheduled("other", WARM.expression, LONDON, minimum=30)
    found = imported(WARM, COOL, other)
    assert windows(found) == ["name other, days mon-fri, from 08:00, to 19:00, min 30"]
    assert "at the same time as other" in reasons(found)["warm"]


def test_a_bound_of_zero_is_kept() -> None:
    """Zero all night is a window, zero at all times a window over all the week: capacity.max is 1 at least."""
    on = Scheduled("on", "cron(0 8 * * ? *)", minimum=5, maximum=50)
    off = Scheduled("off", "cron(0 18 * * ? *)", minimum=0, maximum=0)
    found = imported(on, off)
    assert windows(found) == ["name off, days daily, from 18:00, to 08:00, min 0, max 0"]
    assert found.may_be_zero
    never = imported(minimum=0, maximum=0)
    assert windows(never) == ["days daily, from 00:00, to 24:00, max 0"]
    assert (never.minimum, never.maximum) == (0, 1)


def test_a_rate_alone_says_what_holds_at_all_times() -> None:
    """From when it counts does not matter where nothing else sets the bound."""
    found = imported(Scheduled("keep", "rate(5 minutes)", minimum=8))
    assert (found.minimum, found.left) == (8, ())


def test_a_rate_from_a_known_start_is_a_weekly_rule() -> None:
    """Every twelve hours from 07:00 UTC, between them another action."""
    rate = Scheduled("up", "rate(12 hours)", start=datetime(2025, 1, 1, 7, tzinfo=UTC), minimum=9)
    down = Scheduled("down", "cron(0 9,21 * * ? *)", minimum=2)
    assert windows(imported(rate, down)) == [
        "name up, days daily, from 07:00, to 09:00, min 9",
        "name up 2, days daily, from 19:00, to 21:00, min 9",
    ]


def test_what_was_set_by_hand_is_told() -> None:
    """For a short while it is a remark; where it stays for weeks, the policy is not the same, and that is said."""
    assert any("the minimum of 7 that stands now" in remark for remark in imported(WARM, COOL, minimum=7).remarks)
    yearly = Scheduled("december", "cron(0 0 1 12 ? *)", minimum=50)
    (left,) = imported(yearly, minimum=7).left
    assert left.action == "the minimum of 7 that stands now"
    assert "2026-12-01" in left.reason


def test_target_tracking_and_clock_changes_are_told() -> None:
    """What the objective takes over, and the two nights of which AWS does not say what it does."""
    night = Scheduled("night", "cron(30 1 ? * SUN *)", LONDON, minimum=1)
    tracking = Tracking("t", 0.7, "LambdaProvisionedConcurrencyUtilization", predefined=True)
    found = translate("f", "live", Scaling(2, 400, (tracking,), (WARM, night)), NOW)
    assert any("Target tracking t (kept utilization at 70%)" in remark for remark in found.remarks)
    assert any("night is due on 2027-03-28 at 01:30" in remark for remark in found.remarks)


def test_more_windows_than_a_policy_may_have_are_left_out() -> None:
    """A hundred and one different values in one day."""
    many = tuple(
        Scheduled(f"a{step:03}", f"cron({step % 60} {step // 60} * * ? *)", minimum=step + 1) for step in range(102)
    )
    found = imported(*many)
    assert windows(found) == []
    assert len(found.left) == 102
