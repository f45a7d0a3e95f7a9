"""What the project promises of Warmcast's cost on real traffic, and whether it is met. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.traces.frontier import cold_starts
from bench.traces.ratios import Pair, at_level, promise, together, where_tracked
from bench.traces.sweep import SAVINGS, Swept
from warmcast.simulate.compare import CLAIRVOYANT, CRON_TABLE, STATIC_PEAK, TARGET_TRACKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.traces.ratios import Together

SPILLOVER: Final = 0.01
"""The spillover at which the aims are set."""

KEPT_FROM, KEPT_TO = 0.5, 1.25
"""Spillover reached over asked for, within which a promise counts as kept."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a figure may be: on the traces that the developers have, and on those held back from them."""

    shared: float
    held_back: float


@dataclass(frozen=True, slots=True)
class Aim:
    """A ratio that is promised.

    Args:
        name: what is compared.
        short: the same for the head of a column.
        mean: bound of the geometric mean.
        pair: what is compared on one trace.
        worst: bound on every single trace; None: none is promised.
    """

    name: str
    short: str
    mean: Bound
    pair: Callable[[Swept], Pair]
    worst: float | None = None

    def found(self, traces: Sequence[Swept]) -> Together:
        """The ratio over these traces."""
        return together({trace.name: self.pair(trace) for trace in traces})

    def met(self, found: Together, *, held_back: bool) -> bool:
        """Mean and worst within their bounds, and no trace on which Warmcast alone does not get there."""
        most = self.mean.held_back if held_back else self.mean.shared
        return (  # comparisons with NaN are false, so nothing measured is nothing met
            found.mean <= most and (self.worst is None or found.worst <= self.worst) and not found.missed
        )


def _saved(trace: Swept) -> Pair:
    return Pair(trace.points[SAVINGS][0].total_usd, trace.nothing.total_usd)


def _against(other: str) -> Callable[[Swept], Pair]:
    return partial(at_level, other=other, wanted=SPILLOVER)


AIMS: Final = (
    Aim(
        "allocation cost / target tracking at its best target for each trace in hindsight",
        "best target tracking",
        Bound(0.80, 0.86),
        _against(TARGET_TRACKING),
        worst=1.0,
    ),
    Aim(
        "allocation cost / target tracking at 70%, at the spillover that one reaches",
        "70% at its spillover",
        Bound(0.70, 0.80),
        where_tracked,
    ),
    Aim(
        "allocation cost / best weekly cron table in hindsight",
        "best cron table",
        Bound(0.80, 0.80),
        _against(CRON_TABLE),
    ),
    Aim("allocation cost / static peak", "static peak", Bound(0.38, 0.38), _against(STATIC_PEAK)),
    Aim(
        "allocation cost / perfect foresight",
        "perfect foresight",
        Bound(1.10, 1.06),
        _against(CLAIRVOYANT),
        worst=1.6,
    ),
    Aim(
        "allocation cost / target tracking at 70%, at the cold starts that one reaches",
        "70% at its cold starts",
        Bound(0.30, 0.65),
        partial(where_tracked, level=cold_starts),
    ),
    Aim(
        "total bill with objective savings / bill with no provisioned concurrency",
        "bill, saving / none",
        Bound(0.93, 0.92),
        _saved,
        worst=1.005,
    ),
)

KEPT_ON = 0.9
"""The share of the traces on which the promise is to be kept."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Spillover reached over asked for, over traces; lowest first.

    Args:
        asked: the objective.
        reached: (reached / asked, trace), ascending.
    """

    asked: float
    reached: tuple[tuple[float, str], ...]

    @property
    def kept(self) -> int:
        """Traces on which it was kept."""
        return sum(KEPT_FROM <= ratio <= KEPT_TO for ratio, _ in self.reached)

    @property
    def met(self) -> bool:
        """Kept on nine in ten."""
        return bool(self.reached) and self.kept >= KEPT_ON * len(self.reached)


def promised(traces: Sequence[Swept], asked: float) -> Promise:
    """How the promise was kept over these traces."""
    return Promise(asked, tuple(sorted((promise(trace, asked), trace.name) for trace in traces)))
