"""Extremes: highest concurrency and throttles of whole functions, and the Region's. Touches only the port `Series`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from warmcast.errors import AwsError
from warmcast.model.asked import Answer, Query
from warmcast.scan.measure import days_of, total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warmcast.scan.ports import Series

ACCOUNT: Final = Query("ConcurrentExecutions", "Maximum")
"""Of all functions in the Region together: without dimensions (Lambda developer guide, monitoring-concurrency)."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """Of the time looked at; a function that CloudWatch did not tell of has NaN.

    Args:
        peaks: highest concurrency by function, whatever the qualifier.
        throttles: number by function.
        account_peak: highest concurrency of all functions together.
    """

    peaks: Mapping[str, float]
    throttles: Mapping[str, float]
    account_peak: float


NOT_KNOWN: Final = Extremes(peaks={}, throttles={}, account_peak=float("nan"))


def _always() -> bool:
    return True


def extremes(
    metrics: Series,
    functions: Sequence[str],
    *,
    now: datetime,
    days: int,
    in_time: Callable[[], bool] = _always,
) -> Extremes:
    """Two queries a function and one of the Region, in whole days, so that 500 of them fill a call.

    Raises:
        AwsError: where not one query was answered.
    """
    peaks = [Query("ConcurrentExecutions", "Maximum", name) for name in functions]
    throttles = [Query("Throttles", "Sum", name) for name in functions]
    answers = metrics.read([ACCOUNT, *peaks, *throttles], days_of(now, days), in_time=in_time)
    if all(isinstance(answer, AwsError) for answer in answers) and isinstance(answers[0], AwsError):
        raise answers[0]
    account, of_functions = answers[0], answers[1:]
    return Extremes(
        peaks={name: _highest(answer) for name, answer in zip(functions, of_functions, strict=False)},
        throttles={name: total(answer) for name, answer in zip(functions, of_functions[len(peaks) :], strict=True)},
        account_peak=_highest(account),
    )


def _highest(answer: Answer | AwsError | None) -> float:
    """The highest that was reported, 0 where nothing was; NaN where that is not known."""
    if not isinstance(answer, Answer) or (not answer.complete and np.isnan(answer.values).all()):
        return float("nan")
    return float(np.fmax.reduce(answer.values, initial=0.0))
