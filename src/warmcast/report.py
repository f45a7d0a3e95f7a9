"""Report: a tick's report -> log records, metrics and a summary, as data. Pure; the entry points print and emit them.

Every target has one log record per tick. Metrics cost $0.30 each a month (aws.amazon.com/cloudwatch/pricing), so a
tick emits eight without dimensions for the whole fleet, and nine per target only where its policy says `metrics: true`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from warmcast.model import Action, Reason, Result, TickStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warmcast.model import Decision, Health, Row, TickReport

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

NAMESPACE = "Warmcast"

LEAST_TOLD, MOST_TOLD = 0.1, 2
"""What a capacity comes from is told down to a tenth of it, and at most so many families."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value for CloudWatch; `unit` in CloudWatch's words."""

    name: str
    unit: str
    value: float
    dimensions: Mapping[str, str] = field(default_factory=dict)


def log_records(report: TickReport) -> list[dict[str, JsonValue]]:
    """One JSON-able record per target.

    Most keys are a decision's fields by their names; beside these:

    | key                  | value                                                                              |
    | -------------------- | ---------------------------------------------------------------------------------- |
    | `drives`             | what the capacity comes from: `family`, `share` believed, its `capacity`           |
    | `price`              | what a spilled execution was taken to cost, in units standing idle for as long     |
    | `expected_spillover` | what the replayed past spilled at that price                                       |
    | `health`             | null until something is learned, else:                                             |
    | `health.says`        | the four below in words                                                            |
    | `health.accuracy`    | per family, the best first: its best rule's mean absolute `error` over mean demand |
    | `health.last_value`  | what taking the last minute for the next is off by; null without demand            |
    | `health.coverage`    | share of the replayed past that the objective's capacity would have served         |
    | `health.promise`     | what spilled or started cold in it over what is allowed; null: no promise          |
    | `spillover`          | measured over the last hour                                                        |
    """
    return [_record(row, report) for row in report.rows]


def _record(row: Row, report: TickReport) -> dict[str, JsonValue]:
    decision = row.outcome.decision
    return {
        "target": str(decision.target),
        "account": decision.target.account,
        "region": decision.target.region,
        "decision_id": decision.id,
        "fleet_version": decision.fleet_version,
        "at": decision.at.isoformat(),
        "dry_run": report.dry_run,
        "mode": row.mode.value,
        "actuator": decision.actuator.value,
        "action": decision.action.value,
        "current": decision.current,
        "wanted": decision.wanted,
        "allocated": row.allocated,
        "floor": decision.floor,
        "ceiling": decision.ceiling,
        "reason": decision.reason.value,
        "rule": decision.rule,
        "limits": [
            {"name": limit.name.value, "before": limit.before, "after": limit.after, "detail": limit.detail}
            for limit in decision.limits
        ],
        "demand": _rounded(decision.demand),
        "forecast_p50": _rounded(decision.foreseen[0] if decision.foreseen else None),
        "forecast_p90": _rounded(decision.foreseen[1] if decision.foreseen else None),
        "basis": decision.basis,
        "drives": [
            {"family": drive.family, "share": round(drive.share, 3), "capacity": round(drive.capacity, 1)}
            for drive in decision.drives
        ],
        "price": _rounded(decision.price, 2),
        "expected_spillover": _rounded(decision.expected_spillover, 5),
        "finding": decision.finding,
        "health": _health(decision),
        "spillover": _rounded(row.spillover, 5),
        "outcome": row.outcome.result.value,
        "detail": row.outcome.detail,
        "error_code": row.outcome.error_code,
        "fault": row.fault,
    }


def _health(decision: Decision) -> JsonValue:
    health = decision.health
    if health is None:
        return None
    return {
        "says": health_in_words(health),
        "accuracy": [{"family": each.family, "error": round(each.error, 3)} for each in health.accuracy],
        "last_value": _rounded(health.last_value),
        "coverage": round(health.coverage, 5),
        "promise": _rounded(health.promise),
    }


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def summary(report: TickReport) -> dict[str, JsonValue]:
    """What the handler returns and `tick --format json` prints: the tick at a glance, then a record per target."""
    results = Counter(row.outcome.result.value for row in report.rows)
    return {
        "at": report.at.isoformat(),
        "status": report.status.value,
        "dry_run": report.dry_run,
        "fleet_version": report.fleet_version,
        "targets": len(report.rows),
        "changed": changed(report),
        "failed": len(report.failed),
        "results": dict(sorted(results.items())),
        "faults": [f"{fault.kind.value}: {fault.message}" for fault in report.faults],
        "findings": list(report.findings),
        "duration_s": round(report.duration_s, 3),
        "calls": dict(sorted(report.calls.items())),
        "metrics_requested": report.metrics_requested,
        "rows": list(log_records(report)),
    }


def changed(report: TickReport) -> int:
    """How many targets were written to."""
    return sum(row.outcome.result in {Result.APPLIED, Result.FLOOR_LOWERED} for row in report.rows)


def metrics(report: TickReport, *, per_target: Sequence[str] = ()) -> list[Metric]:
    """The fleet's metrics, and those of the targets named (`function:qualifier`) that opted in."""
    chosen = set(per_target)
    rows = [row for row in report.rows if str(row.outcome.decision.target) in chosen]
    return [*_fleet_metrics(report), *(metric for row in rows for metric in _target_metrics(row))]


def _fleet_metrics(report: TickReport) -> list[Metric]:
    done = report.status is TickStatus.DONE
    failures = len(report.failed) + len(report.faults) + len(report.findings)
    deferred = sum(row.outcome.result is Result.DEFERRED for row in report.rows)
    return [
        Metric("Ticks", "Count", 1.0 if done else 0.0),
        Metric("TickFailures", "Count", 1.0 if failures else 0.0),
        Metric("TargetsFailed", "Count", float(len(report.failed))),
        Metric("TargetsDeferred", "Count", float(deferred)),
        Metric("CapacityChanges", "Count", float(changed(report))),
        Metric("CapacityRequested", "Count", float(sum(row.outcome.decision.current or 0 for row in report.rows))),
        Metric("TickDuration", "Seconds", report.duration_s),
        Metric("ApiCalls", "Count", float(sum(report.calls.values()))),
    ]


def _target_metrics(row: Row) -> list[Metric]:
    decision = row.outcome.decision
    values: dict[str, float | None] = {
        "Demand": decision.demand,
        "ForecastP50": decision.foreseen[0] if decision.foreseen else None,
        "ForecastP90": decision.foreseen[1] if decision.foreseen else None,
        "Wanted": float(decision.wanted),
        "Requested": _requested(decision, row),
        "Allocated": row.allocated,
        "Floor": float(decision.floor),
        "Ceiling": float(decision.ceiling),
        "Spillover": row.spillover,
    }
    dimensions = {"Target": str(decision.target)}
    return [Metric(name, "Count", float(value), dimensions) for name, value in values.items() if value is not None]


def _requested(decision: Decision, row: Row) -> float | None:
    applied = row.outcome.result is Result.APPLIED
    value = decision.wanted if applied else decision.current
    return None if value is None else float(value)


def reason_in_words(decision: Decision) -> str:
    """The reason, and what stands behind it: the rule, or what the objective's capacity comes from.

    `floor (schedule: office hours)`, `forecast (season 62%: 31, level 30%: 24)`
    """
    if decision.rule:
        return f"{decision.reason.value} ({decision.rule})"
    if decision.reason is Reason.FORECAST and decision.drives:
        told = [drive for drive in decision.drives if drive.share >= LEAST_TOLD][:MOST_TOLD]
        said = ", ".join(f"{drive.family} {drive.share:.0%}: {drive.capacity:.0f}" for drive in told)
        return f"{decision.reason.value} ({said})"
    return decision.reason.value


def health_in_words(health: Health) -> str:
    """How well demand is foreseen and the promise stands.

    `foreseen by season: off by 12%, the last value by 31%; 99.05% served, 0.95 of what the objective allows`
    """
    if health.last_value is None or not health.accuracy:
        foreseen = "no demand to foresee"
    elif health.foreseen_by:
        error = health.accuracy[0].error
        foreseen = f"foreseen by {health.foreseen_by}: off by {error:.0%}, the last value by {health.last_value:.0%}"
    else:
        foreseen = f"nothing foresees it better than the last value: off by {health.last_value:.0%}"
    kept = "" if health.promise is None else f", {health.promise:.2f} of what the objective allows"
    return f"{foreseen}; {health.coverage:.2%} served{kept}"


def sentence(row: Row) -> str:
    """The decision in one line for a person: what, from where to where, and why."""
    decision = row.outcome.decision
    current = "?" if decision.current is None else str(decision.current)
    if decision.action is Action.HOLD and decision.wanted == decision.current:
        change = f"stays at {current}"
    else:
        change = f"{current} -> {decision.wanted}"
    why = reason_in_words(decision)
    ends = f"; {row.outcome.result.value}" + (f": {row.outcome.detail}" if row.outcome.detail else "")
    return f"{decision.target} {change}, {why}{ends}"
