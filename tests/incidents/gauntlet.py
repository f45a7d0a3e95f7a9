"""Every incident on one file's traffic: a row for each. Pure; a module of its own, for processes import it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from incidents.catalogue import incidents
from incidents.play import play
from incidents.table import Row
from warmcast.simulate.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.traces import Trace as File
    from warmcast.fleet.objective import Spillover

DURATION_S: Final = 0.5
INCIDENTS: Final = incidents(growth_hours=48, alias_days=14)


def run(file: File, *, chosen: Sequence[str], promise: Spillover) -> list[Row]:
    """The chosen incidents on a file's traffic, each execution of half a second; peaks are not known."""
    trace = Trace(file.start, file.demand, file.demand / DURATION_S, np.full(len(file.demand), np.nan))
    return [Row(name, file.name, play(INCIDENTS[name](trace), promise=promise)) for name in chosen]
