"""What a backtest says: its summary for JSON, one sentence of conclusion, notes on what to beware of. Pure."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, assert_never

import numpy as np

from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.prices import AS_OF
from warmcast.simulate.actual import audit
from warmcast.simulate.compare import ACTUAL, CLAIRVOYANT, CRON_LEVEL, NONE, TARGET, TARGET_TRACKING, WARMCAST
from warmcast.simulate.score import Score

if TYPE_CHECKING:
    from warmcast.fleet import Objective
    from warmcast.model import FloatArray
    from warmcast.simulate.actual import Audit
    from warmcast.simulate.compare import Comparison
    from warmcast.simulate.world import World

TOLD = [field.name for field in fields(Score) if field.name not in {"keepalive", "invocations"}]
"""The figures of a score that the summary gives per policy."""

NAMES = {
    "actual": "what was actually run",
    "warmcast": "Warmcast",
    "none": "no provisioned concurrency",
    "static_peak": "a static peak",
    "cron_table": "a cron table",
    "target_tracking": f"target tracking at {TARGET:.0%}",
    "ec2_predictive": "EC2's predictive scaling",
    "clairvoyant": "perfect foresight",
}
"""What sentences call the policies."""

MINUTES_PER_DAY = 1440
LEAST_DAYS = 14
"""Less training shows Warmcast, and every table made of it, fewer than two of each hour of the week."""

TOO_SPARSE = 1.0
"""Mean demand under which a unit that is always there is mostly idle."""

_APART = 0.02  # cold starts closer than this share are not told apart: no ranking hangs on them
_MOST_PAIRS = 3
_TOLERATED = 2.0  # the model's spillover and the measured one may differ by this factor,
_NOTICEABLE = 0.005  # or by this share of the invocations, before a reader is warned


def summary(comparison: Comparison) -> dict[str, object]:
    """The summary as JSON: figures of every policy, and all that they rest on."""
    return {
        "policies": {
            name: {figure: getattr(line.score, figure) for figure in TOLD} for name, line in comparison.lines.items()
        },
        "target": f"{comparison.policy.function}:{comparison.policy.qualifier}",
        "spillover": _promise(comparison),
        **({} if comparison.actual is None else {"actual": _actual(comparison)}),
        "conclusion": conclusion(comparison),
        "notes": notes(comparison),
        "keepalive": _keepalive(comparison),
        "trace": _trace(comparison),
        "assumptions": _assumptions(comparison.world),
    }


# --- words -----------------------------------------------------------------------------------------------------------


def conclusion(comparison: Comparison) -> str:
    """What was spilled for how much allocation, beside target tracking and beside nothing at all.

    One sentence; where it is known what was actually run, a sentence on that comes before it.
    """
    return " ".join(filter(None, [_beside_actual(comparison), _beside_others(comparison)]))


def _beside_actual(comparison: Comparison) -> str:
    """Bill, spillover and cold starts of what was actually run, and how Warmcast's compare; empty if not known."""
    if comparison.actual is None:
        return ""
    if not comparison.actual.provisioned:
        return "No provisioned concurrency was found in these minutes: what was actually run is doing without it."
    ran, ours = (comparison.lines[name].score for name in (ACTUAL, WARMCAST))
    return (
        f"What was actually run cost ${ran.total_usd:,.2f}, ${ran.allocation_usd:,.2f} of it for allocation, spilled"
        f" {ran.spillover:.2%} and had {ran.cold_starts_per_10k:.2f} cold starts per 10,000; Warmcast's bill is"
        f" {_compared(ours.total_usd, ran.total_usd)} that, with {ours.cold_starts_per_10k:.2f}."
    )


def _beside_others(comparison: Comparison) -> str:
    ours, tracked, none = (comparison.lines[name].score for name in (WARMCAST, TARGET_TRACKING, NONE))
    over = f"Over {_span(len(comparison.scored))}"
    bill = f"the bill is {_compared(ours.total_usd, none.total_usd)} that of {NAMES[NONE]}"
    if not comparison.lines[WARMCAST].requested.any():
        return f"{over} Warmcast buys no provisioned concurrency here: bill and cold starts are those of doing without."
    return (
        f"{over} Warmcast spills {ours.spillover:.2%}{_asked(comparison.policy.objective)} for "
        f"${ours.allocation_usd:,.2f} of allocation, {_compared(ours.allocation_usd, tracked.allocation_usd)} that of "
        f"{NAMES[TARGET_TRACKING]}, which spills {tracked.spillover:.2%}; {bill}, with "
        f"{ours.cold_starts_per_10k:.2f} cold starts per 10,000 instead of {none.cold_starts_per_10k:.2f}."
    )


def _compared(value: float, other: float) -> str:
    """`18% under`, `3% above`, `2.5 times`, `equal to`; worded to be followed by what the other is."""
    if other <= 0:
        return f"${value:,.2f} above" if value > 0 else "equal to"
    ratio = value / other
    if abs(ratio - 1) < 0.0005:
        return "equal to"
    return f"{ratio:,.1f} times" if ratio >= 2 else f"{abs(ratio - 1):.1%} {'under' if ratio < 1 else 'above'}"


def _span(minutes: int) -> str:
    """`14 days`, `5.5 days`, `3 hours`, `20 minutes`."""
    for unit, name in ((MINUTES_PER_DAY, "days"), (60, "hours")):
        if minutes >= unit:
            return f"{minutes / unit:.3g} {name}"
    return f"{minutes} minutes"


def _asked(objective: Objective) -> str:
    return f" (asked: {100 * objective.share:.4g}%)" if isinstance(objective, Spillover) else ""


def notes(comparison: Comparison) -> list[str]:
    """What to beware of in this comparison, a sentence each; often none."""
    training, scored, world = comparison.training, comparison.scored, comparison.world
    found = [*comparison.remarks, *_notes_on_actual(comparison)]
    if len(training) < LEAST_DAYS * MINUTES_PER_DAY:
        known = f"Only {_span(len(training))} of" if len(training) else "No"
        found.append(f"{known} history before the start; two weeks show each hour of the week twice.")
    mean = _mean(scored.demand)
    if mean < TOO_SPARSE:
        found.append(
            f"The traffic is sparse: {mean:.2g} executions in progress on average leave a unit that is always there"
            " mostly idle; provisioned concurrency buys latency here rather than savings."
        )
    gaps = int(np.isnan(scored.demand).sum())
    if gaps:
        found.append(f"{gaps:,} of {len(scored):,} minutes are gaps: they bill allocation and carry no demand.")
    if world.prices.break_even > 1:
        found.append(f"In {world.region} provisioned concurrency never costs less than running on demand.")
    if world.prices.assumed:
        found.append(f"Some prices of {world.region} and {world.architecture} are not known and were filled in.")
    return [*found, *filter(None, [keepalive_changes(comparison)])]


def _notes_on_actual(comparison: Comparison) -> list[str]:
    """How much of it had to be guessed, and what CloudWatch measured of its spillover beside what the model says."""
    actual, found = comparison.actual, []
    if actual is None or not actual.provisioned:
        return []
    if actual.guessed > 0:
        found.append(
            f"Of what was actually run {_percent(actual.guessed)} of the minutes had to be guessed: idle minutes have"
            " no metric of provisioned concurrency, so what stood before them is carried over."
        )
    audited = _audited(comparison)
    if audited is not None:
        found.append(
            f"CloudWatch measured a spillover of {audited.measured:.2%} of the invocations of what was actually run,"
            f" the model says {audited.modelled:.2%} for the same {audited.minutes:,} minutes{_lesson(audited)}."
        )
    return found


def _percent(share: float) -> str:
    """In whole percent; neither none where there is some, nor all where it is not all."""
    if share < 0.01:
        return "under 1%"
    return f"{share:.0%}" if share <= 0.99 or share == 1 else "over 99%"


def _audited(comparison: Comparison) -> Audit | None:
    """The model's spillover of what was actually run, held against CloudWatch's."""
    if comparison.actual is None:
        return None
    standing = comparison.lines[ACTUAL].ready
    return audit(comparison.actual, standing, comparison.scored, peakedness=comparison.world.peakedness)


def _lesson(audited: Audit) -> str:
    """What to think of the model where it is well off what was measured."""
    low, high = sorted((audited.measured, audited.modelled))
    if high <= _TOLERATED * low or high - low < _NOTICEABLE:
        return ""
    if audited.measured > audited.modelled:
        return ": the traffic is burstier than it reckons with, so all its spillovers are too low (--peakedness)"
    return ": all its spillovers are rather too high here"


def keepalive_changes(comparison: Comparison) -> str:
    """The sentence about rankings by cold starts that hang on how long idle environments stay warm; empty if none."""
    swapped = [words for minutes in comparison.world.keepalive_min[1:] for words in _swapped(comparison, minutes)]
    if not swapped:
        return ""
    more = f"; and {len(swapped) - _MOST_PAIRS} more" if len(swapped) > _MOST_PAIRS else ""
    headline = comparison.world.keepalive_min[0]
    return (
        f"Who has fewer cold starts hangs on how long idle environments stay warm, which AWS does not state"
        f" ({headline} minutes assumed): {'; '.join(swapped[:_MOST_PAIRS])}{more}."
    )


def _swapped(comparison: Comparison, minutes: int) -> list[str]:
    """The pairs of policies that change places at this keepalive, Warmcast's own first."""
    headline = comparison.world.keepalive_min[0]
    found = []
    for one, other in combinations(comparison.lines, 2):
        first, second = (comparison.lines[name].score.keepalive for name in (one, other))
        if _order(first[headline], second[headline]) * _order(first[minutes], second[minutes]) < 0:
            fewer, more = sorted((one, other), key=lambda name: comparison.lines[name].score.keepalive[minutes])
            found.append(f"at {minutes} {NAMES[fewer]} has fewer than {NAMES[more]}")
    return found


def _order(one: float, other: float) -> int:
    """-1, 0 or 1; 0 where the two are too close to be told apart."""
    if abs(one - other) <= _APART * max(one, other):
        return 0
    return 1 if one > other else -1


# --- records ---------------------------------------------------------------------------------------------------------


def _promise(comparison: Comparison) -> dict[str, object]:
    reached = comparison.lines[WARMCAST].score.spillover
    objective = comparison.policy.objective
    asked = objective.share if isinstance(objective, Spillover) else None
    return {
        "objective": _objective(objective),
        "asked": asked,
        "reached": reached,
        "reached_over_asked": None if asked is None else reached / asked,
    }


def _actual(comparison: Comparison) -> dict[str, object]:
    """What is known of what was actually run beside its figures."""
    actual, audited = comparison.actual, _audited(comparison)
    if actual is None:
        return {}
    return {
        "provisioned": actual.provisioned,
        "guessed_share": actual.guessed,
        "spillover_measured": None if audited is None else audited.measured,
        "spillover_modelled": None if audited is None else audited.modelled,
        "spillover_minutes": 0 if audited is None else audited.minutes,
    }


def _objective(objective: Objective) -> dict[str, float] | str:
    """The objective as the policy has it, in plain numbers."""
    match objective:
        case Spillover(share):
            return {"spillover": share}
        case ColdStarts(per_10k):
            return {"cold_starts_per_10k": per_10k}
        case ColdStartCost(usd):
            return {"cold_start_cost_usd": usd}
        case Savings():
            return "savings"
        case _:
            assert_never(objective)


def _keepalive(comparison: Comparison) -> dict[str, object]:
    """Cold starts per 10,000 over the band of keepalives, and whether that changes who has fewer."""
    band = comparison.world.keepalive_min
    return {
        "minutes": list(band),
        "cold_starts_per_10k": {
            name: {str(minutes): line.score.keepalive[minutes] for minutes in sorted(band)}
            for name, line in comparison.lines.items()
        },
        "changes_ranking": keepalive_changes(comparison),
    }


def _trace(comparison: Comparison) -> dict[str, object]:
    scored = comparison.scored
    known = scored.demand[~np.isnan(scored.demand)]
    return {
        "start": stamp(scored.start),
        "end": stamp(scored.end),
        "minutes": len(scored),
        "gap_minutes": len(scored) - len(known),
        "training_minutes": len(comparison.training),
        "mean_demand": _mean(scored.demand),
        "peak_demand": float(known.max(initial=0.0)),
        "invocations": comparison.lines[WARMCAST].score.invocations,
    }


def _assumptions(world: World) -> dict[str, object]:
    prices = {key: value for key, value in asdict(world.prices).items() if key != "assumed"}
    return {
        **{key: value for key, value in asdict(world).items() if key not in _TOLD_APART},
        "keepalive_min": list(world.keepalive_min),
        "prices": {**prices, **_source(world), "assumed": world.prices.assumed},
        "baselines": {
            "static_peak": "need of the training's highest minute at 1% of spillover",
            "cron_table": f"{CRON_LEVEL:.0%} quantile of the need of each hour of the week in training",
            TARGET_TRACKING: f"utilization {TARGET:.0%}, at least 1",
            "ec2_predictive": f"highest minute of that hour in the last two weeks over {TARGET:.0%}, 5 minutes early",
            CLAIRVOYANT: "least capacity per 5 minutes that reaches Warmcast's spillover with perfect foresight",
        },
    }


_TOLD_APART = {"keepalive_min", "known_prices", "prices_source"}


def _source(world: World) -> dict[str, str]:
    """Where the prices are from; of the bundled table, of when."""
    return {"as_of": AS_OF} if world.known_prices is None else {"source": world.prices_source}


def stamp(at: int) -> str:
    """Epoch seconds as the traces write them: `2014-05-14T01:10Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%MZ}"


def _mean(demand: FloatArray) -> float:
    known = demand[~np.isnan(demand)]
    return float(known.mean()) if len(known) else 0.0
