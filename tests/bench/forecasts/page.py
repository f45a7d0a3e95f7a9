"""The figures of the contest as tables, and as the Markdown of `docs/benchmark-forecasts.md`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.forecasts.contest import FED_AS_PEERS, WARMCAST
from bench.forecasts.score import LEVELS, ONE_DAY, TWO_HOURS, geometric_mean, ratio
from bench.tables import Table, number, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.forecasts.score import Contest, Horizon
    from bench.machine import Machine

MOST_RATIO: Final = 0.90
MOST_TIME: Final = 1 / 50
HORIZONS: Final = (TWO_HOURS, ONE_DAY)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run found.

    Args:
        origins: instants from which each trace was forecast.
        too_short: traces that could not be scored, by name.
    """

    contests: Sequence[Contest]
    origins: int
    too_short: Sequence[str]
    machine: Machine

    @property
    def took_s(self) -> float:
        """Wall time of all forecasters on all series together."""
        everyone = (told for each in self.contests for told in (*each.ours.values(), *each.peers.values()))
        return sum(float(told.took_s.sum()) for told in everyone)


@dataclass(frozen=True, slots=True)
class Against:
    """Warmcast against the peer that was best for one trace, in hindsight.

    Args:
        per_level: ratios of the loss at 0.5, 0.9 and 0.99.
        time: Warmcast's wall time over that peer's; `time_ets` over AutoETS's.
    """

    trace: str
    loss: float
    best: str
    ratio: float
    per_level: tuple[float, ...]
    last_week: float
    time: float
    time_ets: float


def against(contest: Contest, horizon: Horizon) -> Against:
    """The comparison that the aim is about."""
    ours, best = contest.ours[WARMCAST], contest.best(horizon)
    loss, least = contest.loss(ours, horizon), contest.loss(contest.peers[best], horizon)
    return Against(
        trace=contest.name,
        loss=float(loss.mean()),
        best=best,
        ratio=ratio(loss, least),
        per_level=tuple(ratio(a, b) for a, b in zip(loss, least, strict=True)),
        last_week=ratio(loss, contest.loss(contest.lag, horizon)),
        time=ratio(ours.took_s, contest.peers[best].took_s),
        time_ets=ratio(ours.took_s, contest.peers["AutoETS"].took_s),
    )


def tables(run: Run) -> list[Table]:
    """All tables, the aims first."""
    return [
        _aims(run),
        *(_per_trace(run, horizon) for horizon in HORIZONS),
        *(_per_model(run, horizon) for horizon in HORIZONS),
        _failures(run),
    ]


def _aims(run: Run) -> Table:
    rows = [row for horizon in HORIZONS for row in _aims_of([against(each, horizon) for each in run.contests], horizon)]
    note = "The aims are for the best peer of each trace in hindsight, which nobody could have chosen beforehand."
    return Table("Aims", ("geometric mean", "at most", "measured", "met"), tuple(rows), note, frozenset({1, 2}))


def _aims_of(found: Sequence[Against], horizon: Horizon) -> list[tuple[str, ...]]:
    loss = geometric_mean(each.ratio for each in found)
    worst = max(found, key=lambda each: each.ratio)
    time, ets = geometric_mean(each.time for each in found), geometric_mean(each.time_ets for each in found)
    return [
        (f"loss / best peer, {horizon.name}", number(MOST_RATIO), number(loss), _met(loss, MOST_RATIO)),
        (f"... the worst trace: {worst.trace}", "", number(worst.ratio), ""),
        (f"time / best peer, {horizon.name}", number(MOST_TIME), number(time), _met(time, MOST_TIME)),
        (f"time / AutoETS, {horizon.name}", number(MOST_TIME), number(ets), _met(ets, MOST_TIME)),
    ]


def _met(value: float, most: float) -> str:
    return "yes" if value <= most else "no"


def _per_trace(run: Run, horizon: Horizon) -> Table:
    found = [against(each, horizon) for each in run.contests]
    rows = [
        (
            each.trace,
            number(each.loss),
            each.best,
            number(each.ratio),
            *(number(level) for level in each.per_level),
            number(each.last_week),
            number(each.time),
        )
        for each in found
    ]
    means = [
        geometric_mean(values)
        for values in zip(*((a.ratio, *a.per_level, a.last_week, a.time) for a in found), strict=True)
    ]
    rows.append(("geometric mean", "", "", *(number(value) for value in means)))
    columns = (
        "trace",
        "scaled loss",
        "best peer",
        "/ best peer",
        *(f"at {level:g}" for level in LEVELS),
        "/ last week",
        "time / best peer",
    )
    note = (
        "Warmcast's mean scaled pinball loss, and the same over that of the statsforecast model that did best on that "
        "trace (over the three levels together), over the same minutes of last week, and the time over that peer's."
    )
    return Table(f"Each trace, {horizon.name} ahead", columns, tuple(rows), note, frozenset({1, *range(3, 9)}))


def _per_model(run: Run, horizon: Horizon) -> Table:
    names = list(run.contests[0].peers)
    best = [each.best(horizon) for each in run.contests]
    rows = [_model_row(run, name, horizon, best.count(name)) for name in (WARMCAST, FED_AS_PEERS, *names, "last week")]
    note = (
        "Loss of each forecaster over that of the best peer of each trace (geometric mean over the traces on which it "
        "never failed), on how many traces it was that peer, and wall time to fit and forecast one series once."
    )
    columns = ("forecaster", "loss / best peer", "best on", "median s", "most s")
    return Table(f"Each forecaster, {horizon.name} ahead", columns, tuple(rows), note, frozenset({1, 2, 3, 4}))


def _model_row(run: Run, name: str, horizon: Horizon, best_on: int) -> tuple[str, ...]:
    told = [(each, ({**each.ours, **each.peers, "last week": each.lag})[name]) for each in run.contests]
    ratios = [
        ratio(each.loss(said, horizon), each.loss(each.peers[each.best(horizon)], horizon)) for each, said in told
    ]
    took_s = np.concatenate([said.took_s for _, said in told])
    return (
        name,
        number(geometric_mean(value for value in ratios if not np.isnan(value))),
        str(best_on) if name in run.contests[0].peers else "",
        number(float(np.median(took_s))),
        number(float(took_s.max())),
    )


def _failures(run: Run) -> Table:
    rows = tuple((each.name, peer, said) for each in run.contests for peer, said in each.failures.items())
    rows += tuple((name, "all", "too short to learn from 8 days and be scored") for name in run.too_short)
    note = "A peer that failed at any origin of a trace is not scored on that trace." if rows else "Nothing failed."
    return Table("Left out", ("trace", "forecaster", "why"), rows, note)


# --- Markdown --------------------------------------------------------------------------------------------------------

_HEAD = """# Benchmark: forecasts alone

Written by `make bench-forecasts TRACES=DIR ARGS=--write`, never by hand. `DIR` holds files `<name>.csv.gz` with
`timestamp,concurrency`, one row a minute.

Measured on: {processor}, {cores} cores, Python {python}, numpy {numpy}, statsforecast {peers}; {traces} traces,
two at a time, each forecaster in one thread: {minutes} minutes of wall time if it were one at a time. What the peers
said of a series, and the time it took them, is kept in `build/peers` and read again while series, models and versions
are the same.

## How it is measured

- **What is forecast**: the mean demand of each 15 minutes ahead, as quantiles 0.5, 0.9 and 0.99: the next 2 hours
  (8 steps), and the next 24 hours (96 steps). 15 minutes, since AutoETS takes 40 s for one series in 5-minute steps.
- **Splits**: {origins} origins in each trace, after its first half (14 days at most, 8 at least), along the
  golden-ratio sequence, so that they favour no hour and no weekday. At every origin everyone learns or fits anew, from
  the 14 days before it (what there is, in a shorter trace) and nothing after. Warmcast reads 5-minute steps, as it does
  from CloudWatch; its quantile of 15 minutes is the mean of its minutes' quantiles. "{fed_as_peers}"
  reads the peers' steps.
- **Gaps**: the peers take none, so each is filled with the value of the week before, else of the day before, else by a
  straight line. Steps without a known minute are not scored.
- **Loss**: pinball, mean over origins, steps and the three levels, divided by the mean change from one week to the next
  before the first origin (from day to day, or the mean demand, where that is zero).
- **Peers**: statsforecast's models with their own prediction intervals (the upper ends of the central 80% and 98%, the
  mean as the median; what is negative counts as 0, in their favour); conformal ones where a model has no other.
  AutoETS and AutoCES have no season as long as a day of 96 steps and choose among the rest; a week is too long for
  AutoTheta and AutoARIMA in sensible time, and so is a day for AutoARIMA.
"""


def markdown(run: Run) -> str:
    """The whole page."""
    head = _HEAD.format(
        processor=run.machine.processor,
        cores=run.machine.cores,
        python=run.machine.python,
        numpy=run.machine.numpy,
        peers=run.contests[0].peers_version,
        traces=len(run.contests),
        minutes=number(run.took_s / 60),
        origins=run.origins,
        fed_as_peers=FED_AS_PEERS,
    )
    return "\n".join([head, *(section(table) for table in tables(run))])
