"""The evidence that verdicts share: its sentences are true of one, of next to nothing, and of what has gone quiet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judging import STEPS_A_DAY, function, judged, steady, usage
from warmcast.scan.found import Verdict
from warmcast.scan.snapstart import AS_OF

if TYPE_CHECKING:
    from warmcast.model import FloatArray
    from warmcast.scan.found import Finding


def texts(finding: Finding) -> str:
    """All of its evidence."""
    return "\n".join(each.text for each in finding.evidence)


def quiet_for(days: float) -> FloatArray:
    """Half an execution at any time, and none in the last days."""
    demand = steady(0.5)
    demand[len(demand) - round(days * STEPS_A_DAY) :] = 0.0
    return demand


@pytest.mark.parametrize(("days", "told"), [(0, False), (2.9, False), (3, True), (5, True)])
def test_since_when_no_call_came_is_told_from_three_days_on(days: float, *, told: bool) -> None:
    """A weekend is no news, and a deploy that moved the callers away is."""
    finding = judged(function(units=5), usage(quiet_for(days), units=5))
    assert ("No call since 2026-03-" in texts(finding)) is told


def test_the_last_call_has_its_time() -> None:
    """Five days before Monday the 9th, in the last five minutes of the 3rd."""
    finding = judged(function(units=5), usage(quiet_for(5), units=5))
    assert "No call since 2026-03-03 23:55 UTC." in texts(finding)


def test_a_gap_after_the_last_call_may_hide_one() -> None:
    """What is not known is not taken for quiet."""
    demand = quiet_for(5)
    demand[-3:] = np.nan
    finding = judged(function(units=5), usage(demand, units=5))
    assert "No call is known since 2026-03-03 23:55 UTC." in texts(finding)


def test_nothing_is_said_of_an_alias_that_was_never_called() -> None:
    """There is no last call."""
    finding = judged(function(units=5), usage(steady(0), units=5))
    assert "No call" not in texts(finding)


def test_one_unit_and_next_to_no_cold_starts_are_told_in_words() -> None:
    """No `1 units`, and no power of ten."""
    one = texts(judged(function(units=1), usage(steady(0.1), units=1)))
    many = texts(judged(function(units=30), usage(steady(0.5), units=30)))

    assert "1 unit stood there on average" in one
    assert "1 units" not in one
    assert ": less than one cold start a month instead of" in many
    assert "e-" not in many


def test_a_single_throttle_was_one_request() -> None:
    """And two were."""
    used = usage(steady(20), units=60)
    used.throttles[100] = 1.0
    two = replace(used, throttles=used.throttles * 2)

    assert "1 request was throttled (<0.1%): " in texts(judged(function(units=60), used))
    assert "2 requests were throttled (<0.1%): " in texts(judged(function(units=60), two))


def test_snapstarts_prices_are_named_as_those_of_us_east_1() -> None:
    """They are taken for every Region, which the evidence says."""
    finding = judged(function(units=10, runtime="python3.13"), usage(steady(0.5), units=10), cold_start_usd=1.0)
    assert finding.verdict is Verdict.SNAP_START
    assert any(AS_OF in each.source for each in finding.evidence)
    assert AS_OF.startswith("us-east-1's list prices")


def test_an_orphans_newest_version_is_only_the_newest_that_something_names() -> None:
    """Versions that no alias and no configuration names were not looked at."""
    seen = function(units=5, qualifier="3", newest_version="7")
    finding = judged(seen, usage(steady(0), units=5), qualifier="3")
    assert finding.verdict is Verdict.ORPHAN
    assert "No alias points to version 3; the newest that an alias or a configuration names is 7." in texts(finding)
