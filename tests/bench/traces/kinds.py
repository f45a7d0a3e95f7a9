"""How a trace was measured, told from its shape: coarse measurements flatter whoever forecasts. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from warmcast.simulate.trace import Trace

STEP_MIN: Final = 5

_FEW = 0.1  # of the changes
_STRAIGHT = 1e-3  # of the mean: rounding to a few digits bends a line less


class Kind(StrEnum):
    """What a minute of a trace is."""

    MINUTES = "measured every minute"
    FIVES = "measured every 5 minutes, repeated"
    LINES = "measured every 30 or 60 minutes, joined by lines"


def kind_of(trace: Trace) -> Kind:
    """Values that change every 5 minutes only are repeated; those that rarely bend were joined by straight lines."""
    steps = np.diff(trace.demand)
    changes = np.flatnonzero(np.isfinite(steps) & (steps != 0))
    if not len(changes):
        return Kind.MINUTES
    phases = np.bincount((trace.at[changes + 1] // 60) % STEP_MIN, minlength=STEP_MIN)
    if phases.max() > (1 - _FEW) * len(changes):
        return Kind.FIVES
    bends = np.abs(np.diff(steps)) > _STRAIGHT * float(np.nanmean(trace.demand))
    return Kind.LINES if np.count_nonzero(bends) < _FEW * len(changes) else Kind.MINUTES
