"""Spreading: in which steps the work of executions is done that began in each step. Pure numpy.

CloudWatch counts an execution, and its duration, in the step in which it was invoked ("the timestamp on a metric
reflects when the function was invoked": Lambda developer guide, monitoring-metrics). One that takes longer than a step
does most of its work in later ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmcast.model import FloatArray


def spread(work_s: FloatArray, duration_s: FloatArray, *, step_s: int) -> FloatArray:
    """Work of each step by when it is done, shape (N,): arrivals are uniform within their step.

    Executions no longer than a step keep their work where they began: so little of it runs over that idle steps stay
    idle. The sum stays, but for what is done past the end or in a step that is not known.

    Args:
        work_s: of the executions that began in each step, seconds; NaN where it is not known, and so in the answer.
        duration_s: of each of them.
        step_s: length of a step.
    """
    longest_s = float(duration_s.max(initial=0.0, where=np.nan_to_num(work_s) > 0))
    if longest_s <= step_s:
        return work_s
    work, done = np.zeros(len(work_s)), np.zeros(len(work_s))
    for later in range(min(math.ceil(longest_s / step_s) + 1, len(work_s))):
        by_then = _done(duration_s, (later + 1) * step_s, step_s)
        work[later:] += (np.nan_to_num(work_s) * (by_then - done))[: len(work_s) - later]
        done = by_then
    return np.where(np.isnan(work_s), np.nan, work)


def _done(duration_s: FloatArray, after_s: int, step_s: int) -> FloatArray:
    """Share of a step's work that is done so many seconds after the step began.

    Executions in progress rise while they arrive and fall while they end; this is the integral of that trapezoid.
    """
    long_s = np.maximum(duration_s, step_s)
    since = (after_s - edge for edge in (np.zeros(len(long_s)), step_s, long_s, step_s + long_s))
    all_of_it, arrived, ended, both = (np.maximum(each, 0.0) ** 2 for each in since)
    share: FloatArray = (all_of_it - arrived - ended + both) / (2 * step_s * long_s)
    return np.where(duration_s <= step_s, 1.0, share)
