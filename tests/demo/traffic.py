"""Traffic of one target, minute by minute, and what each minute of it looks like to Lambda. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.errors import WarmcastError

if TYPE_CHECKING:
    from warmcast.model import FloatArray, IntArray

MINUTE_S = 60
DAY_S = 86_400
DAY_MINUTES = 1_440

# The longest run of a minute that its peak is drawn from: beyond that, the peak grows only by fractions.
MOST_LOOKS = 60


class InputError(WarmcastError):
    """The traffic that the demo was given can't be used; the message names file, line and what is wrong."""


class UsageError(InputError):
    """There is no such traffic to begin with: a folder that does not exist, or holds nothing of the kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Offered load of one service: a past to learn from and the day to play.

    Args:
        name: what was measured.
        start: epoch seconds of the first minute, a multiple of 60.
        demand: mean executions in progress per minute, if none ever waits; NaN is a gap.
        past: number of minutes before the played day.
    """

    name: str
    start: int
    demand: FloatArray
    past: int

    @property
    def at(self) -> IntArray:
        """Epoch seconds at which each minute begins."""
        return self.start + MINUTE_S * np.arange(len(self.demand), dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """What traffic is to a function with a given mean duration; one entry a minute, NaN where traffic has a gap.

    Args:
        arrivals: invocations that began in the minute, a whole number.
        duration_s: their mean duration.
        peak: most executions in progress at once.
    """

    arrivals: FloatArray
    duration_s: FloatArray
    peak: FloatArray

    @property
    def demand(self) -> FloatArray:
        """Offered load in concurrent executions: arrivals / 60 x mean duration (Little's law)."""
        demand: FloatArray = self.arrivals / MINUTE_S * np.nan_to_num(self.duration_s)
        return demand


def draw_load(demand: FloatArray, duration_s: float, rng: np.random.Generator) -> Load:
    """Calls that carry a demand: each lasts `duration_s` in the mean, with a spread as wide as that mean.

    A demand of 6 at 0.5 s is 720 calls a minute. The mean of n such durations varies by 1/sqrt(n); the peak is the
    largest of the minute's independent looks at a Poisson number in progress (M/G/infinity), one look per duration.
    """
    gap = np.isnan(demand)
    known = np.where(gap, 0.0, demand)
    arrivals = np.rint(known * MINUTE_S / duration_s)
    spread = rng.standard_normal(len(known)) / np.sqrt(np.maximum(arrivals, 1))
    durations = np.where(arrivals > 0, duration_s * np.maximum(1 + spread, 0.2), np.nan)
    in_progress = arrivals / MINUTE_S * np.nan_to_num(durations)
    looks = int(np.clip(MINUTE_S / duration_s, 1, MOST_LOOKS))
    peak = rng.poisson(in_progress[:, np.newaxis], size=(len(known), looks)).max(axis=1)
    peak = np.where(arrivals > 0, np.clip(peak, 1, arrivals), 0)
    return Load(
        arrivals=np.where(gap, np.nan, arrivals),
        duration_s=durations,
        peak=np.where(gap, np.nan, peak),
    )
