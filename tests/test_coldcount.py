"""Cold starts counted: a day's, the worst five minutes, other versions, and how sure it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warmcast.coldcount import ColdStarts, Confidence, began, cold_starts
from warmcast.coldlogs import Kind, Read, ReportCount, Start

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def starts(kind: Kind, count: int, *, at: datetime = AT, took_s: float = 1.0, named: bool = False) -> list[Start]:
    """So many new environments of version 3."""
    return [Start(at, "3", kind, took_s, named) for _ in range(count)]


def counted(
    found: list[Start], counts: list[ReportCount] | None = None, *, never_provisioned: bool = False
) -> ColdStarts:
    """The count of version 3 over two days."""
    return cold_starts(Read(tuple(found)), counts or [], version="3", days=2, never_provisioned=never_provisioned)


def test_each_kind_is_counted_apart() -> None:
    """Cold starts are those on demand; unclear ones make the upper bound."""
    found = counted(
        starts(Kind.ON_DEMAND, 10)
        + starts(Kind.PROVISIONED, 5)
        + starts(Kind.RESTORED, 3, took_s=0.4)
        + starts(Kind.UNCLEAR, 2)
        + [Start(AT, "2", Kind.ON_DEMAND, 9.0)]
    )
    assert (found.on_demand, found.provisioned, found.restored, found.unclear) == (10, 5, 3, 2)
    assert (found.per_day, found.most_per_day) == (5, 6)
    assert found.restore_p50_s == 0.4


def test_init_is_that_of_cold_starts() -> None:
    """Environments made ahead get less CPU and take longer; they count only where there is nothing else."""
    ahead = starts(Kind.PROVISIONED, 5, took_s=9.0)
    slow = [start for n in range(101) for start in starts(Kind.ON_DEMAND, 1, took_s=1 + n / 100)]
    assert counted(slow + ahead).init_p50_s == pytest.approx(1.5)
    assert counted(slow + ahead).init_p99_s == pytest.approx(1.99)
    assert counted(ahead).init_p50_s == 9.0
    assert counted([]).init_p50_s is None


def test_the_worst_five_minutes_have_the_most_cold_starts() -> None:
    """A quiet bin with one cold start of one invocation is not the worst; of equals the quieter one is."""
    found = (
        starts(Kind.ON_DEMAND, 1)
        + starts(Kind.ON_DEMAND, 4, at=AT + FIVE)
        + starts(Kind.ON_DEMAND, 4, at=AT + 3 * FIVE)
    )
    counts = [ReportCount("3", AT, 1), ReportCount("3", AT + FIVE, 200), ReportCount("3", AT + 3 * FIVE, 100)]
    worst = counted(found, [*counts, ReportCount("2", AT + 3 * FIVE, 900)]).worst
    assert worst is not None
    assert (worst.at, worst.cold_starts, worst.invocations, worst.share) == (AT + 3 * FIVE, 4, 100, 0.04)


def test_a_cold_start_falls_into_its_five_minutes() -> None:
    """Not into those around it; without a count the share is not known."""
    worst = counted(starts(Kind.ON_DEMAND, 1, at=AT + timedelta(minutes=4, seconds=59))).worst
    assert worst is not None
    assert (worst.at, worst.share) == (AT, None)


def test_without_cold_starts_there_is_no_worst() -> None:
    """Environments made ahead make no bin bad."""
    assert counted(starts(Kind.PROVISIONED, 7)).worst is None


@pytest.mark.parametrize(
    ("told", "unclear", "confidence"),
    [(0, 0, Confidence.NONE), (95, 5, Confidence.GOOD), (94, 6, Confidence.FAIR), (79, 21, Confidence.POOR)],
)
def test_confidence_falls_with_unclear_lines(told: int, unclear: int, confidence: Confidence) -> None:
    """In words, with the counts in the sentence."""
    found = counted(starts(Kind.ON_DEMAND, told) + starts(Kind.UNCLEAR, unclear))
    assert found.confidence is confidence
    assert not unclear or f"{unclear} unclear" in found.confidence_text


def test_named_environments_are_certain() -> None:
    """Restores do not bear on it."""
    found = counted(starts(Kind.PROVISIONED, 3, named=True) + starts(Kind.RESTORED, 3))
    assert found.confidence is Confidence.CERTAIN
    assert "3 of 3 inits are named" in found.confidence_text


def test_without_provisioned_concurrency_every_init_was_waited_for() -> None:
    """Whatever the bill looks like."""
    found = counted(
        starts(Kind.UNCLEAR, 4) + starts(Kind.PROVISIONED, 4) + starts(Kind.RESTORED, 1), never_provisioned=True
    )
    assert (found.on_demand, found.provisioned, found.unclear, found.restored) == (8, 0, 0, 1)
    assert found.confidence is Confidence.CERTAIN


def test_other_versions_are_counted_apart() -> None:
    """Most used first; a stream that names none has the empty name."""
    counts = [ReportCount("3", AT, 5), ReportCount("2", AT, 4), ReportCount("", AT, 9), ReportCount("2", AT + FIVE, 6)]
    found = counted([], counts)
    assert found.invocations == 5
    assert list(found.others.items()) == [("2", 10), ("", 9)]


def test_a_version_counts_from_when_it_took_over() -> None:
    """Days before it served are no days without cold starts; a version that idled first is not cut short."""
    start, created = AT - timedelta(days=7), AT - timedelta(days=90)
    mine, before = ReportCount("3", AT, 1), ReportCount("2", AT - FIVE, 1)
    assert began([before, mine], version="3", start=start, created=created) == AT
    assert began([mine], version="3", start=start, created=created) == start
    assert began([], version="3", start=start, created=created) == start


def test_days_before_the_function_do_not_count() -> None:
    """The log group's creation bounds them, unless it has older lines."""
    start, created = AT - timedelta(days=7), AT - timedelta(days=1)
    late = ReportCount("3", AT, 1)
    early = ReportCount("3", AT - timedelta(days=2), 1)
    assert began([late], version="3", start=start, created=created) == created
    assert began([early, late], version="3", start=start, created=created) == early.at
