"""What to do about a capacity: each command has the effect that the verdict promises, whoever sets the capacity."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from judging import function, judged, steady, tracking, usage
from warmcast.scan.found import Scaling, Scheduled, Verdict

RESOURCE = (
    "--service-namespace lambda --scalable-dimension lambda:function:ProvisionedConcurrency --resource-id "
    "function:checkout:live --region us-east-1"
)
REGISTER = f"aws application-autoscaling register-scalable-target {RESOURCE}"
RESCHEDULE = f"aws application-autoscaling put-scheduled-action {RESOURCE}"
DENIED = "scalable targets: see the denial"


def too_high(scaling: Scaling | None = None, *, stack: str = "", unread: tuple[str, ...] = ()) -> str:
    """What to do about 60 units for a demand of 20, which need 30."""
    finding = judged(function(units=60, scaling=scaling, stack=stack, unread=unread), usage(steady(20), units=60))
    assert (finding.verdict, finding.amount) == (Verdict.TOO_HIGH, 30)
    return finding.todo


def too_low(scaling: Scaling) -> str:
    """What to do about 20 units for a demand of 20, which need 30."""
    finding = judged(function(units=20, scaling=scaling), usage(steady(20), units=20), cold_start_usd=1.0)
    assert (finding.verdict, finding.amount) == (Verdict.TOO_LOW, 30)
    return finding.todo


def test_to_lower_what_target_tracking_moves_the_maximum_falls_too() -> None:
    """60 units within bounds of 30 and 100 would stay; only a maximum of 30 lowers them."""
    todo = too_high(tracking(10, 100))

    assert todo.startswith(f"{REGISTER} --min-capacity 30 --max-capacity 30 (only the maximum lowers")
    assert "it can be raised again later, with a higher target value of target tracking (keep-70)" in todo


def test_to_raise_what_target_tracking_moves_its_room_above_stays() -> None:
    """A minimum of 30 raises 20 units at once; the maximum of 100 is no cause of anything."""
    todo = too_low(tracking(10, 100))

    assert todo.startswith(f"{REGISTER} --min-capacity 30 --max-capacity 100 (target tracking (keep-70) moves within")


def test_scheduled_actions_that_would_undo_the_command_are_changed_too() -> None:
    """They replace the bounds when they run; the one that lowers the capacity at night undoes nothing."""
    morning = Scheduled(
        "office day",
        "cron(0 8 * * ? *)",
        timezone="Europe/Berlin",
        start=datetime(2026, 1, 1, tzinfo=UTC),
        end=datetime(2027, 1, 1, tzinfo=UTC),
        minimum=60,
        maximum=60,
    )
    night = Scheduled("night", "cron(0 20 * * ? *)", minimum=0, maximum=0)

    todo = too_high(Scaling(60, 60, scheduled=(morning, night)))

    assert todo == (
        f"{REGISTER} --min-capacity 30 --max-capacity 30 && {RESCHEDULE} --scheduled-action-name 'office day' "
        "--schedule 'cron(0 8 * * ? *)' --timezone Europe/Berlin --start-time 2026-01-01T00:00:00+00:00 "
        "--end-time 2027-01-01T00:00:00+00:00 --scalable-target-action MinCapacity=30,MaxCapacity=30 (a scheduled "
        "action replaces the bounds when it runs, so these are changed too: office day (minimum 60, maximum 60))"
    )


def test_a_scheduled_action_below_what_is_needed_is_raised() -> None:
    """Its minimum of 5 would let the capacity fall again; one that sets no more than enough is left alone."""
    low = Scheduled("low", "rate(1 day)", minimum=5)
    high = Scheduled("high", "rate(1 day)", minimum=40, maximum=80)

    todo = too_low(replace(tracking(10, 100), scheduled=(low, high)))

    assert todo.count("put-scheduled-action") == 1
    assert "--scheduled-action-name low --schedule 'rate(1 day)' --scalable-target-action MinCapacity=30" in todo
    assert "these are changed too: low (minimum 5))" in todo


def test_no_bare_command_where_the_scalable_targets_could_not_be_read() -> None:
    """Application Auto Scaling would set the capacity back: that is told first, and in the evidence."""
    seen = function(units=60, unread=(DENIED,))
    finding = judged(seen, usage(steady(20), units=60))

    assert finding.todo.startswith("Application Auto Scaling may set this capacity: its scalable targets could not be")
    assert "only if nothing is registered for checkout:live: aws lambda put-provisioned" in finding.todo
    assert any("Whether Application Auto Scaling sets it is not known" in each.text for each in finding.evidence)
    assert too_high().startswith("aws lambda put-provisioned-concurrency-config ")


def test_nor_is_there_one_beside_a_stack_or_to_remove_it() -> None:
    """The same for what a template declares, and for a capacity that is not worth its money."""
    in_stack = too_high(stack="shop", unread=(DENIED,))
    dropped = judged(function(units=5, unread=(DENIED,)), usage(steady(0.2), units=5), cold_start_usd=0.0001)

    assert "by hand until then: Application Auto Scaling may set this capacity" in in_stack
    assert dropped.verdict is Verdict.DROP
    assert dropped.todo.startswith("Application Auto Scaling may set this capacity")


def test_what_else_could_not_be_read_says_nothing_of_the_scalable_targets() -> None:
    """An unread alias is no reason to doubt who sets the capacity."""
    assert too_high(unread=("aliases: AccessDenied: no",)).startswith("aws lambda put-provisioned-concurrency-config ")
