"""What `backtest --from-aws` makes of an alias's past: where scoring starts, the default policy, what it remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
import pytest

from builders import NOON
from warmcast.commands.own_history import Alias, OwnHistory, alias_of, default_policy, policy_text, start_of
from warmcast.fleet import Home, Spillover, load_fleet
from warmcast.history import Recorded
from warmcast.model.asked import Grid
from warmcast.simulate.trace import Trace
from warmcast.simulate.world import World

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400
END = int(NOON.timestamp())
API = Alias("checkout-api", "live")


def trace(days: float, *, demand: float = 6.0, peak: float = np.nan) -> Trace:
    """So many days of the same demand, up to noon."""
    minutes = round(days * 1440)
    return Trace(END - 60 * minutes, *(np.full(minutes, value) for value in (demand, demand / 0.5, peak)))


def own(days: float, *, remarks: tuple[str, ...] = ()) -> OwnHistory:
    """A past of so many days, the newest 15 of them by the minute and the rest by five minutes."""
    whole = trace(days)
    seam = END - 15 * DAY_S
    unknown = np.full(len(whole), np.nan)
    past = Recorded(
        trace=whole,
        invocations=unknown,
        spilled=unknown,
        read=unknown,
        grids=(Grid(whole.start, seam, 300), Grid(seam, END, 60)),
        duration_s=0.5,
    )
    return OwnHistory(API, past, None, (), World(), remarks, 22)


@pytest.mark.parametrize(
    ("history", "days", "scored"),
    [(60, None, 14), (20, None, 10), (2, None, 1), (60, 30, 30), (20, 14, 14), (1.5, 1, 1)],
)
def test_the_newest_days_are_scored(history: float, days: int | None, scored: float) -> None:
    """As many as are asked for; by default 14, or half of what there is."""
    assert END - start_of(trace(history), days) == scored * DAY_S


def test_more_days_than_there_are_is_wrong_usage() -> None:
    """With what there is."""
    with pytest.raises(click.BadParameter, match=r"9 days, and CloudWatch has 2\.5 days of it"):
        start_of(trace(2.5), 9)


def test_the_default_policy_is_generous() -> None:
    """One unit at least; three times the highest need, or the highest concurrency where that is more."""
    policy = default_policy(API, trace(2, demand=6.0))
    assert (policy.function, policy.qualifier) == ("checkout-api", "live")
    assert (policy.capacity.min, policy.capacity.max) == (1, 40)  # 6 executions need 13 units at 1%
    assert policy.objective == Spillover(0.01)
    assert default_policy(API, trace(2, demand=6.0, peak=70)).capacity.max == 210
    assert default_policy(API, trace(2, demand=np.nan)).capacity.max == 10


@pytest.mark.parametrize("qualifier", ["live", "7", "true", "null"])
def test_the_default_policy_as_text_is_the_same_policy(tmp_path: Path, qualifier: str) -> None:
    """It can be kept as a file, whatever the alias is called."""
    policy = default_policy(Alias("checkout-api", qualifier), trace(2))
    path = tmp_path / "policy.yaml"
    path.write_text(policy_text(policy))
    fleet = load_fleet([path], home=Home("111122223333", "us-east-1"))
    assert fleet.findings == ()
    assert list(fleet.policies.values()) == [policy]


def test_scored_minutes_that_are_means_of_steps_are_remarked() -> None:
    """Of sixteen days the first is in steps of five minutes: bursts within them do not show."""
    found = own(20, remarks=("Prices are bundled.",))
    told, rest = found.remarks_on(END - 16 * DAY_S)
    assert told == (
        "Of the minutes scored CloudWatch has 1,440 in steps of 5 minutes, each spread evenly: bursts within them do"
        " not show, so spillovers and cold starts of those are too low."
    )
    assert rest == "Prices are bundled."
    assert found.remarks_on(END - 15 * DAY_S) == ("Prices are bundled.",)


def test_the_record_counts_minutes_by_the_steps_they_were_read_in() -> None:
    """Training and what is scored apart."""
    record = own(20).record(END - 16 * DAY_S)
    assert record["minutes_by_step_s"] == {"training": {"300": 4 * 1440}, "scored": {"300": 1440, "60": 15 * 1440}}
    assert (record["from"], record["until"]) == ("2026-02-17T12:00Z", "2026-03-09T12:00Z")


@pytest.mark.parametrize("text", ["checkout-api", "checkout-api:", ":live", "a:b:c", "arn:aws:lambda:x:1:function:a:b"])
def test_an_alias_is_a_name_a_colon_and_a_qualifier(text: str) -> None:
    """Whatever else is refused with what it should be."""
    with pytest.raises(click.BadParameter, match="is no FUNCTION:ALIAS, such as checkout-api:live"):
        alias_of(click.Context(click.Command("x")), click.Option(["--from-aws"]), text)
