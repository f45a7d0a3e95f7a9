"""Verdicts on what a scan can't see or AWS would refuse, and on capacities that changed within the scan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from judging import function, judged, standing, steady, usage
from warmcast.scan.found import AliasSeen, Finding, Verdict


def _texts(finding: Finding) -> str:
    return " ".join(each.text for each in finding.evidence)


# --- what could not be read ------------------------------------------------------------------------------------------


def test_nothing_is_bought_where_provisioned_concurrency_could_not_be_listed() -> None:
    """A demand that would be bought for; the refusal is told, and no amount or money."""
    refusal = "provisioned concurrency: AccessDeniedException: not authorized"
    finding = judged(replace(function(), unread=(refusal,)), usage(steady(10)))
    assert (finding.verdict, finding.amount, finding.monthly_usd) == (Verdict.UNKNOWN, None, 0.0)
    assert refusal in _texts(finding)
    assert "No provisioned concurrency stands" not in _texts(finding)
    assert judged(function(), usage(steady(10))).verdict is Verdict.BUY


def test_another_unread_part_leaves_the_verdict() -> None:
    """Stacks are of no matter to what stands there."""
    seen = replace(function(), unread=("stacks and reservations: AccessDeniedException: no",))
    assert judged(seen, usage(steady(10))).verdict is Verdict.BUY


# --- what AWS would refuse -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "version", "verdict"),
    [("blue", "7", Verdict.NO), ("7", "7", Verdict.NO), ("blue", "6", Verdict.BUY), ("6", "6", Verdict.BUY)],
    ids=["alias on the same version", "the version itself", "alias on another version", "another version"],
)
def test_a_version_takes_one_config(holder: str, version: str, verdict: Verdict) -> None:
    """The bare alias gets a no that names who holds it; another version's config is no hindrance."""
    aliases = {"live": AliasSeen("7"), "blue": AliasSeen(version)}
    seen = replace(function(aliases=aliases), provisioned={holder: standing(5)})
    finding = judged(seen, usage(steady(10)))
    assert finding.verdict is verdict
    assert (f"on {holder} already (5 units)" in _texts(finding)) is (verdict is Verdict.NO)


def test_a_bare_version_behind_an_alias_with_capacity_gets_a_no() -> None:
    """The conflict holds the other way round as well."""
    seen = function(units=5)
    finding = judged(seen, usage(steady(10)), qualifier="7")
    assert finding.verdict is Verdict.NO
    assert "on live already" in _texts(finding)
