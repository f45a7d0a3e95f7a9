"""The limits that targets have in common: floors first, then by what a unit carries, ties by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ROOMY, decision, state, target
from warmcast.model import AccountLimits, Action, Actuator, Budget, Decision, Reason
from warmcast.share import Limits, share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warmcast.model import TargetState


def limits(
    *,
    account: AccountLimits | None = ROOMY,
    units: int | None = None,
    usd_per_hour: float | None = None,
    headroom: int = 100,
    states: Mapping[str, TargetState] | None = None,
) -> Limits:
    """Limits with room for everything, unless told otherwise; states by `function:qualifier`."""
    return Limits(
        account=account,
        budget=Budget(units=units, usd_per_hour=usd_per_hour, headroom=headroom),
        states={target(name): each for name, each in (states or {}).items()},
    )


def wanted(decisions: Sequence[Decision]) -> dict[str, int]:
    """The wanted capacity by target."""
    return {str(each.target): each.wanted for each in decisions}


def test_with_room_for_all_nothing_changes() -> None:
    """The ordinary case hands the very same decisions on."""
    decisions = [decision("a:live", wanted=30), decision("b:live", wanted=5)]
    assert list(share(decisions, limits())) == decisions


def test_the_budget_goes_to_floors_first() -> None:
    """A floor of 8 comes before the objective of a busier neighbour."""
    busy = decision("busy:live", current=0, wanted=20, staffed_for=15.0)
    ruled = decision("ruled:live", current=0, wanted=8, floor=8, staffed_for=0.0)
    assert wanted(share([busy, ruled], limits(units=20))) == {"busy:live": 12, "ruled:live": 8}


def test_then_units_go_where_they_carry_most() -> None:
    """Of ten units the alias with demand 8 gets more than the one with demand 1, and both get some."""
    big = decision("big:live", current=0, wanted=14, staffed_for=8.0)
    small = decision("small:live", current=0, wanted=5, staffed_for=1.0)
    shared = wanted(share([big, small], limits(units=10)))
    assert sum(shared.values()) == 10
    assert shared["big:live"] > shared["small:live"] >= 1


def test_ties_go_by_name() -> None:
    """Two alike, one unit too few: the first by name has it."""
    twins = [decision(f"{name}:live", current=0, wanted=5, staffed_for=3.0) for name in ("b", "a")]
    assert wanted(share(twins, limits(units=9))) == {"a:live": 5, "b:live": 4}


def test_a_clamped_decision_names_the_limit() -> None:
    """From what to what, and which budget."""
    (clamped,) = share([decision(wanted=30)], limits(units=12))
    assert (clamped.wanted, clamped.reason, clamped.action) == (12, Reason.BUDGET, Action.RAISE)
    assert (clamped.limits[-1].before, clamped.limits[-1].after) == (30, 12)
    assert "12 units" in clamped.limits[-1].detail


def test_a_lowered_budget_lowers_what_stands() -> None:
    """The budget may lower, and is then the reason."""
    (clamped,) = share([decision(current=30, wanted=30)], limits(units=12))
    assert (clamped.action, clamped.wanted, clamped.reason) == (Action.LOWER, 12, Reason.BUDGET)


def test_a_rise_waits_for_what_a_decrease_frees() -> None:
    """AWS counts what stands: the room of a decrease is there in the next tick."""
    falling = decision("falling:live", current=15, wanted=5, staffed_for=2.0)
    rising = decision("rising:live", current=5, wanted=15, staffed_for=10.0)
    first = share([falling, rising], limits(units=20))
    assert wanted(first) == {"falling:live": 5, "rising:live": 5}
    after = [replace(falling, current=5, standing=5, action=Action.HOLD), rising]
    assert wanted(share(after, limits(units=20))) == {"falling:live": 5, "rising:live": 15}


def test_usd_are_a_budget_too() -> None:
    """At $0.02 a unit and hour, 20 cents are ten units."""
    rich = decision(current=0, wanted=30, usd_per_unit_hour=0.02)
    (clamped,) = share([rich], limits(usd_per_hour=0.2))
    assert (clamped.wanted, clamped.reason) == (10, Reason.BUDGET)


def test_what_is_blocked_counts_with_what_it_holds() -> None:
    """A target that can't be written keeps its units; the others share the rest."""
    stuck = decision("stuck:live", current=12, wanted=4, blocked=True)
    rising = decision("rising:live", current=2, wanted=20)
    assert wanted(share([stuck, rising], limits(units=20))) == {"stuck:live": 4, "rising:live": 8}


def test_raise_only_is_never_lowered_by_a_budget() -> None:
    """What may not be lowered is taken out of the pool before anything is shared."""
    kept = decision("kept:live", current=15, wanted=15, may_lower=False, staffed_for=0.0)
    other = decision("other:live", current=10, wanted=10, staffed_for=8.0)
    shared = {str(d.target): d for d in share([kept, other], limits(units=20))}
    assert shared["kept:live"].action is Action.HOLD
    assert (shared["other:live"].action, shared["other:live"].wanted) == (Action.LOWER, 5)


# --- function and account


def test_reserved_concurrency_bounds_a_function_over_its_aliases() -> None:
    """Two aliases of one function share its 20; five are held by a version outside the fleet."""
    both = [decision(f"api:{q}", current=0, wanted=12, staffed_for=9.0) for q in ("blue", "green")]
    held = {"7": 5, "blue": 0, "green": 0}
    reserved = {f"api:{q}": state(0, reserved=20, siblings=held) for q in ("blue", "green")}
    shared = share(both, limits(states=reserved))
    assert sum(d.wanted for d in shared) == 15
    assert {d.reason for d in shared} >= {Reason.FUNCTION_LIMIT}


def test_the_account_keeps_what_others_use_and_the_headroom() -> None:
    """1,000 unreserved, others use 180, headroom 100, 40 held elsewhere: 680 remain."""
    account = AccountLimits(concurrency=1000, unreserved=1000, others_in_use=180.0, elsewhere=40)
    (clamped,) = share([decision(current=0, wanted=900)], limits(account=account))
    assert (clamped.wanted, clamped.reason) == (680, Reason.ACCOUNT_LIMIT)


def test_aws_own_hundred_is_kept_whatever_the_headroom() -> None:
    """Headroom 0 still leaves the 100 that Lambda never lets be reserved."""
    account = AccountLimits(concurrency=1000, unreserved=1000, others_in_use=0.0)
    (clamped,) = share([decision(current=0, wanted=950)], limits(account=account, headroom=0))
    assert clamped.wanted == 900


def test_busy_neighbours_take_nothing_away() -> None:
    """Our spillover counts among the others' use: a surge must not feed itself by lowering what stands."""
    account = AccountLimits(concurrency=1000, unreserved=1000, others_in_use=950.0)
    (kept,) = share([decision(current=200, wanted=300)], limits(account=account))
    assert (kept.action, kept.wanted) == (Action.HOLD, 200)


def test_an_unreadable_account_lets_nothing_rise() -> None:
    """What stands stays, decreases go on, rises wait, and the reason says why."""
    decisions = [decision("up:live", wanted=30), decision("down:live", current=10, wanted=4)]
    up, down = share(decisions, limits(account=None))
    assert (up.action, up.wanted, up.reason) == (Action.HOLD, 10, Reason.ACCOUNT_LIMIT)
    assert (down.action, down.wanted) == (Action.LOWER, 4)


def test_a_registered_maximum_stays_within_the_shared_limits() -> None:
    """Application Auto Scaling could go up to it by itself."""
    scaled = replace(decision(wanted=20), actuator=Actuator.AUTOSCALING, published_maximum=400, registered_maximum=400)
    (capped,) = share([scaled], limits(units=50))
    assert capped.published_maximum == 50


def test_what_application_auto_scaling_added_counts_as_standing() -> None:
    """A published minimum of 10 under a capacity of 45: raising the minimum to 50 takes five more units, not forty."""
    scaled = replace(decision(current=10, wanted=50), standing=45, actuator=Actuator.AUTOSCALING, published_maximum=60)
    (granted,) = share([scaled], limits(units=48))
    assert (granted.wanted, granted.reason) == (48, Reason.BUDGET)


def test_a_limit_never_takes_a_stacks_last_unit() -> None:
    """A Delete would break the stack's next deployment: three targets at one unit, a budget of two."""
    held = [decision(f"{name}:live", current=1, wanted=1, floor=1, least=1) for name in "abc"]
    assert [d.action for d in share(held, limits(units=2))] == [Action.HOLD] * 3
    (alone,) = share([decision(current=9, wanted=9, least=1)], limits(units=0))
    assert (alone.action, alone.wanted) == (Action.LOWER, 1)


def test_maxima_together_stay_within_the_budget() -> None:
    """Application Auto Scaling may go up to each by itself, so what is left of the budget is handed out once."""
    scaled = [
        replace(decision(f"{name}:live", wanted=20), actuator=Actuator.AUTOSCALING, published_maximum=60)
        for name in "ab"
    ]
    shared = share(scaled, limits(units=60))
    assert [(d.wanted, d.published_maximum) for d in shared] == [(20, 40), (20, 20)]
    assert Reason.BUDGET in {limit.name for limit in shared[1].limits}


@pytest.mark.parametrize(("registered", "published"), [(56, 56), (53, 60), (60, 60), (70, 60)])
def test_a_little_more_room_registers_nothing(registered: int, published: int) -> None:
    """Room for 60 under a ceiling of 400: 56 stays, 53 is worth a registration, 70 no longer fits."""
    scaled = replace(
        decision(current=20, wanted=20),
        actuator=Actuator.AUTOSCALING,
        published_maximum=400,
        registered_maximum=registered,
    )
    (shared,) = share([scaled], limits(units=60))
    assert shared.published_maximum == published
    assert shared.changes is (registered != published)


def test_a_maximum_never_cuts_what_raise_only_keeps() -> None:
    """AWS would lower the capacity to it."""
    kept = replace(
        decision(current=10, wanted=10, may_lower=False),
        standing=80,
        actuator=Actuator.AUTOSCALING,
        published_maximum=90,
        registered_maximum=90,
    )
    (shared,) = share([kept], limits(units=50))
    assert shared.published_maximum == 90


def test_what_others_use_must_be_known_for_a_rise() -> None:
    """Not known is not nobody."""
    account = AccountLimits(concurrency=1000, unreserved=1000, others_in_use=None)
    (kept,) = share([decision(current=10, wanted=300)], limits(account=account))
    assert (kept.action, kept.wanted, kept.reason) == (Action.HOLD, 10, Reason.ACCOUNT_LIMIT)


def test_dollars_go_where_they_carry_most() -> None:
    """Two alike in demand, one with units at a tenth of the price: the cheap one comes first."""
    dear = decision("dear:live", current=0, wanted=5, staffed_for=3.0, usd_per_unit_hour=0.10)
    cheap = decision("cheap:live", current=0, wanted=5, staffed_for=3.0, usd_per_unit_hour=0.01)
    assert wanted(share([dear, cheap], limits(usd_per_hour=0.15))) == {"cheap:live": 5, "dear:live": 1}


# --- whatever the numbers

CLAIMS = st.lists(
    st.tuples(
        st.integers(0, 40),  # current
        st.integers(0, 60),  # wanted
        st.integers(0, 30),  # floor
        st.floats(0, 40),  # demand
        st.booleans(),  # may be lowered
        st.booleans(),  # blocked
    ),
    min_size=1,
    max_size=8,
)


@given(CLAIMS, st.integers(0, 200), st.integers(0, 300))
def test_no_write_ever_exceeds_a_shared_limit(
    claims: list[tuple[int, int, int, float, bool, bool]], units: int, unreserved: int
) -> None:
    """Counting what stands until it is lowered, rises stay within budget and account; no clamp raises anything."""
    decisions = [
        decision(
            f"f{index}:live",
            current=current,
            wanted=want if lower else max(want, current),
            floor=min(floor, want),
            staffed_for=demand,
            may_lower=lower,
            blocked=blocked,
        )
        for index, (current, want, floor, demand, lower, blocked) in enumerate(claims)
    ]
    account = AccountLimits(concurrency=unreserved, unreserved=unreserved, others_in_use=0.0)
    shared = share(decisions, limits(account=account, units=units))
    before = sum(d.current or 0 for d in decisions)
    during = sum(max(d.current or 0, d.wanted if d.changes else 0) for d in shared)
    for bound in (units, max(unreserved - 100, before)):
        assert during <= max(bound, before)
    for old, new in zip(decisions, shared, strict=True):
        assert new.target == old.target
        assert new.wanted <= old.wanted
        if not old.may_lower and not old.blocked:
            assert new.wanted >= (old.current or 0)
        if old.blocked:
            assert new == old


@given(CLAIMS, st.integers(0, 200))
def test_sharing_does_not_depend_on_the_order(
    claims: list[tuple[int, int, int, float, bool, bool]], units: int
) -> None:
    """Whoever is listed first gains nothing by it."""
    decisions = [
        decision(f"f{index}:live", current=current, wanted=want, floor=min(floor, want), staffed_for=demand)
        for index, (current, want, floor, demand, _, _) in enumerate(claims)
    ]
    forwards = share(decisions, limits(units=units))
    backwards = share(list(reversed(decisions)), limits(units=units))
    assert sorted(forwards, key=lambda d: d.target) == sorted(backwards, key=lambda d: d.target)
