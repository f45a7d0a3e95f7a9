"""How healthy a target is, as a log record and a person are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import NOON, decision
from warmcast.model import Accuracy, Drive, Health, Mode, Outcome, Result, Row, TickReport
from warmcast.report import health_in_words, log_records, reason_in_words

SEASONAL = Health((Accuracy("season", 0.121), Accuracy("level", 0.33)), 0.314, 0.9905, 0.95)
REACTIVE = Health((Accuracy("level", 0.314), Accuracy("season", 0.9)), 0.314, 0.9905, 0.95)
IDLE = Health((), None, 1.0, None)


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (SEASONAL, "foreseen by season: off by 12%, the last value by 31%; 99.05% served, 0.95 of what the objective"),
        (REACTIVE, "nothing foresees it better than the last value: off by 31%; 99.05% served, 0.95 of"),
        (IDLE, "no demand to foresee; 100.00% served"),
    ],
)
def test_health_is_said_in_words(health: Health, says: str) -> None:
    """Who foresees best and how much better than the last value; what is served; how the promise stands."""
    assert health_in_words(health).startswith(says)


def test_the_log_record_has_the_numbers_of_a_targets_health() -> None:
    """Accuracy per family, the last value's, coverage, promise; JSON as it is."""
    rows = tuple(
        Row(outcome=Outcome(replace(decision(), health=health), Result.HELD), mode=Mode.APPLY)
        for health in (SEASONAL, IDLE, None)
    )
    told = [record["health"] for record in log_records(TickReport(at=NOON, fleet_version="v1", rows=rows))]
    assert json.loads(json.dumps(told[0])) == {
        "says": health_in_words(SEASONAL),
        "accuracy": [{"family": "season", "error": 0.121}, {"family": "level", "error": 0.33}],
        "last_value": 0.314,
        "coverage": 0.9905,
        "promise": 0.95,
    }
    assert told[1] == {
        "says": health_in_words(IDLE),
        "accuracy": [],
        "last_value": None,
        "coverage": 1.0,
        "promise": None,
    }
    assert told[2] is None


def test_a_reason_names_the_families_that_the_capacity_comes_from_with_their_numbers() -> None:
    """At most two, and none under a tenth."""
    drives = (Drive("season", 0.62, 31.2), Drive("level", 0.3, 24.4), Drive("reaction", 0.08, 40.0))
    assert reason_in_words(replace(decision(), drives=drives)) == "forecast (season 62%: 31, level 30%: 24)"
    lone = (Drive("season", 0.95, 31.2), Drive("level", 0.05, 24.4))
    assert reason_in_words(replace(decision(), drives=lone)) == "forecast (season 95%: 31)"
