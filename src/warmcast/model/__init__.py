"""The vocabulary of Warmcast as types: frozen records and enums, no behaviour beyond small derived values.

The words are those of the glossary (`docs/glossary.md`); every stage takes and returns these. Nothing here reads a
clock, the environment or AWS. Units: `_s` seconds, `_usd` US dollars, `_mb` mebibytes; demand is in concurrent
executions (erlangs); instants are aware datetimes called `at` or `now`; steps of a series are epoch seconds (UTC).
"""

from warmcast.model.arrays import FloatArray, IntArray
from warmcast.model.decided import Accuracy, Action, Decision, Drive, Health, Limit, Outcome, Reason, Result, Rhythm
from warmcast.model.demand import History, Series
from warmcast.model.foreseen import Forecast, Unknown
from warmcast.model.reported import Row, TickReport, TickStatus
from warmcast.model.seen import (
    NO_CAPACITY,
    AccountLimits,
    Budget,
    Capacity,
    Fault,
    FaultKind,
    Learned,
    Memory,
    Observation,
    Override,
    ScalableTarget,
    TargetState,
)
from warmcast.model.target import Actuator, Mode, Status, TargetId

__all__ = [
    "NO_CAPACITY",
    "AccountLimits",
    "Accuracy",
    "Action",
    "Actuator",
    "Budget",
    "Capacity",
    "Decision",
    "Drive",
    "Fault",
    "FaultKind",
    "FloatArray",
    "Forecast",
    "Health",
    "History",
    "IntArray",
    "Learned",
    "Limit",
    "Memory",
    "Mode",
    "Observation",
    "Outcome",
    "Override",
    "Reason",
    "Result",
    "Rhythm",
    "Row",
    "ScalableTarget",
    "Series",
    "Status",
    "TargetId",
    "TargetState",
    "TickReport",
    "TickStatus",
    "Unknown",
]
