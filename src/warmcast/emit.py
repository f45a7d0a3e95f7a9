"""Emit: a tick's report -> log lines and metrics, through Powertools. What they say is decided in `report`.

Writes to standard output only: Lambda carries it to CloudWatch, which makes metrics of lines in its embedded metric
format. Logger and metrics read `POWERTOOLS_LOG_LEVEL` and `POWERTOOLS_SERVICE_NAME` themselves.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from warmcast.errors import WarmcastError
from warmcast.model import Result
from warmcast.report import NAMESPACE, Metric, log_records, metrics, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from warmcast.model import Row, TickReport

# Why a tick failed before it could report; the name is the one that `report` counts failures under.
TICK_FAILURE = Metric("TickFailures", "Count", 1.0)


class Emitter:
    """The log and the metrics of one function."""

    def __init__(self, service: str | None = None) -> None:
        self._service = service
        self._log = Logger(service=service)

    def begin(self, request_id: str) -> None:
        """From now on every line names this invocation."""
        self._log.append_keys(function_request_id=request_id)

    def tick(self, report: TickReport, *, per_target: Sequence[str]) -> None:
        """One line per target, one for the tick, and the metrics; a dry run has no metrics, which alarms would count.

        Args:
            report: what the tick did.
            per_target: names of the targets that have metrics of their own.
        """
        for row, record in zip(report.rows, log_records(report), strict=True):
            self._loudness(row)("target", extra=record)
        whole = {key: value for key, value in summary(report).items() if key != "rows"}
        bad = report.failed or report.faults or report.findings
        (self._log.error if bad else self._log.info)("tick", extra=whole)
        if not report.dry_run:
            self._put(metrics(report, per_target=per_target))

    def failure(self, error: Exception) -> None:
        """A tick that ended before it could report: a metric and a line, which has the traceback of a bug of ours."""
        self._log.error("tick failed", extra={"error": str(error)}, exc_info=not isinstance(error, WarmcastError))
        self._put([TICK_FAILURE])

    def _loudness(self, row: Row) -> Callable[..., None]:
        if row.fault or row.outcome.result in {Result.FAILED, Result.REFUSED}:
            return self._log.error
        return self._log.warning if row.outcome.result is Result.DEFERRED else self._log.info

    def _put(self, values: Iterable[Metric]) -> None:
        """One line for each set of dimensions: all metrics of a line share them."""
        for dimensions, same in groupby(values, key=lambda metric: dict(metric.dimensions)):
            line = EphemeralMetrics(namespace=NAMESPACE, service=self._service)
            for name, value in dimensions.items():
                line.add_dimension(name=name, value=value)
            for metric in same:
                line.add_metric(name=metric.name, unit=metric.unit, value=metric.value)
            line.flush_metrics()
