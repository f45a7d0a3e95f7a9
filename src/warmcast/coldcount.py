"""Cold starts of one version, counted: a day's, their init, the worst five minutes, and how sure it is. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from warmcast.coldlogs import BIN_S, Kind, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from warmcast.coldlogs import Read, ReportCount


class Confidence(StrEnum):
    """How sure it is which new environments somebody waited for."""

    CERTAIN = "certain"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    NONE = "nothing to judge"


@dataclass(frozen=True, slots=True)
class Worst:
    """The five minutes with the most cold starts; `share` of their invocations, None where those are not known."""

    at: datetime
    cold_starts: int
    invocations: int
    share: float | None


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """The cold starts of one version over a time.

    Args:
        days: covered by the logs.
        invocations: by its reports.
        on_demand: cold starts. provisioned: environments made ahead. restored: by SnapStart. unclear: may be either.
        named: how many of them the logs name outright.
        per_day: cold starts. most_per_day: the same if all unclear ones were such.
        init_p50_s, init_p99_s: of cold starts; where there are none, of all inits. None without any.
        restore_p50_s, restore_p99_s: of SnapStart's restores.
        others: invocations of other versions in the same log group.
        confidence_text: why the confidence is what it is, in a sentence.
    """

    version: str
    days: float
    invocations: int
    on_demand: int
    provisioned: int
    restored: int
    unclear: int
    unreadable: int
    named: int
    per_day: float
    most_per_day: float
    init_p50_s: float | None
    init_p99_s: float | None
    restore_p50_s: float | None
    restore_p99_s: float | None
    worst: Worst | None
    others: Mapping[str, int]
    confidence: Confidence
    confidence_text: str


def cold_starts(
    found: Read, counts: Sequence[ReportCount], *, version: str, days: float, never_provisioned: bool = False
) -> ColdStarts:
    """The cold starts of a version.

    Args:
        found: of the whole log group.
        counts: likewise.
        version: as published; others are counted apart.
        days: covered by both, above 0.
        never_provisioned: the alias had no provisioned concurrency in that time, so no environment was made ahead.
    """
    starts = [start for start in found.starts if start.version == version]
    if never_provisioned:
        starts = [start if start.kind is Kind.RESTORED else _waited_for(start) for start in starts]
    kinds = Counter(start.kind for start in starts)
    cold = [start for start in starts if start.kind is Kind.ON_DEMAND]
    inits = cold or [start for start in starts if start.kind is not Kind.RESTORED]
    restores = [start.took_s for start in starts if start.kind is Kind.RESTORED]
    confidence = _confidence(starts)
    return ColdStarts(
        version=version,
        days=days,
        invocations=sum(count.reports for count in counts if count.version == version),
        on_demand=len(cold),
        provisioned=kinds[Kind.PROVISIONED],
        restored=kinds[Kind.RESTORED],
        unclear=kinds[Kind.UNCLEAR],
        unreadable=found.unreadable,
        named=sum(start.named for start in starts),
        per_day=len(cold) / days,
        most_per_day=(len(cold) + kinds[Kind.UNCLEAR]) / days,
        init_p50_s=_quantile([start.took_s for start in inits], 50),
        init_p99_s=_quantile([start.took_s for start in inits], 99),
        restore_p50_s=_quantile(restores, 50),
        restore_p99_s=_quantile(restores, 99),
        worst=_worst(cold, {count.at: count.reports for count in counts if count.version == version}),
        others=_others(counts, version),
        confidence=confidence,
        confidence_text=_why(starts, never_provisioned=never_provisioned),
    )


def began(counts: Sequence[ReportCount], *, version: str, start: datetime, created: datetime) -> datetime:
    """Since when the version can have served: no day before that counts as one without cold starts.

    Its first report where another version served before it; else the log group's first report or its creation,
    whichever is earlier; but not before `start`.
    """
    mine = [count.at for count in counts if count.version == version]
    others = [count.at for count in counts if count.version != version]
    if mine and others and min(others) < min(mine):
        return max(start, min(mine))
    return max(start, min([created, *mine, *others]))


def _waited_for(start: Start) -> Start:
    """Without provisioned concurrency every init was on demand, whatever the bill looks like."""
    return Start(start.at, start.version, Kind.ON_DEMAND, start.took_s, named=True)


def _others(counts: Iterable[ReportCount], version: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for count in counts:
        if count.version != version:
            found[count.version] += count.reports
    return dict(found.most_common())


def _worst(cold: Sequence[Start], invocations: Mapping[datetime, int]) -> Worst | None:
    """The bin with the most cold starts; of several the one with the fewest invocations, then the first."""
    bins = Counter(_bin(start.at) for start in cold)
    if not bins:
        return None
    at = min(bins, key=lambda each: (-bins[each], invocations.get(each, 0), each))
    known = invocations.get(at, 0)
    return Worst(at, bins[at], known, bins[at] / known if known else None)


def _bin(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % BIN_S)


def _quantile(seconds: Sequence[float], percent: float) -> float | None:
    return float(np.percentile(seconds, percent)) if seconds else None


_GOOD, _FAIR = 0.95, 0.8


def _confidence(starts: Sequence[Start]) -> Confidence:
    inits = [start for start in starts if start.kind is not Kind.RESTORED]
    if not inits:
        return Confidence.NONE
    if all(start.named for start in inits):
        return Confidence.CERTAIN
    told = sum(start.kind is not Kind.UNCLEAR for start in inits) / len(inits)
    if told >= _GOOD:
        return Confidence.GOOD
    return Confidence.FAIR if told >= _FAIR else Confidence.POOR


def _why(starts: Sequence[Start], *, never_provisioned: bool) -> str:
    """The counts that the confidence rests on."""
    inits = [start for start in starts if start.kind is not Kind.RESTORED]
    if not inits:
        return "no report tells of an init"
    if never_provisioned:
        return f"all {len(inits)} inits were on demand: no provisioned concurrency was in use in this time"
    named = sum(start.named for start in inits)
    unclear = sum(start.kind is Kind.UNCLEAR for start in inits)
    parts = [f"{named} of {len(inits)} inits are named by platform.initStart"] if named else []
    by_bill = len(inits) - named - unclear
    if by_bill:
        words = "told by what was billed (billed = duration + init: a caller waited), which AWS does not document"
        parts.append(f"{by_bill} of {len(inits)} {words}")
    return "; ".join([*parts, *([f"{unclear} unclear"] if unclear else [])])
