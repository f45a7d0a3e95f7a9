"""The demo's targets: which function has which traffic, how long its calls take, and its policy. Writes a fleet.

Drawn traffic comes with the fleet in `fleet/` beside this file; for traces a fleet of the same kinds is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.traffic import Traffic

QUALIFIER = "live"
DRAWN_FLEET = Path(__file__).parent / "fleet"


@dataclass(frozen=True, slots=True)
class Part:
    """The part that one function plays.

    Args:
        function: its name.
        traffic: the profile or trace that it gets.
        title: a few words on that traffic.
        duration_s: mean duration of a call.
        memory_mb: its memory.
        by_hand: whether it starts with static peak capacity, as someone set it by hand; else with what the first
            minute needs.
    """

    function: str
    traffic: str
    title: str
    duration_s: float
    memory_mb: int
    by_hand: bool = False

    @property
    def name(self) -> str:
        """Its name as a target."""
        return f"{self.function}:{QUALIFIER}"


DRAWN = (
    Part("ride-requests", "nyc-taxi", "taxi rides", 0.35, 1024),
    Part("checkout-api", "shop-purchases-4", "a web shop's purchases", 0.8, 1536),
    Part("web-pages", "nasa-july-95", "a web site's requests", 0.25, 1024),
    Part("hourly-reports", "huawei-region-1", "timers, most on the hour", 2.0, 1024),
    Part("event-ingest", "azure-platform-2019", "a platform's invocations", 0.15, 512),
    Part("device-telemetry", "asg-cpu", "a machine group's load", 0.12, 512),
    Part("search-index", "mongo-cluster-1", "database queries", 0.4, 1024),
    Part("thumbnails", "elb-requests", "a load balancer's requests", 1.2, 512, by_hand=True),
)
"""The parts in drawn traffic; their policies are in `fleet/`."""

_TRACE_KINDS = (
    "objective: {spillover: 1%}",
    "objective: {spillover: 0.5%}",
    "objective: {cold_starts: 50 per 10k}",
    "objective: {cold_start_cost: 0.0004}",
    "actuator: autoscaling",
    "objective: savings",
    "mode: raise-only",
    "mode: observe",
)
_TRACE_DURATIONS_S = (0.35, 0.8, 0.25, 2.0, 0.15, 0.5, 0.4, 1.2)


def parts_for(traffic: Sequence[Traffic]) -> list[Part]:
    """A part for each trace, in turn of the kinds that policies come in."""
    names = _function_names([one.name for one in traffic])
    return [
        Part(
            function=names[index],
            traffic=one.name,
            title=f"trace {one.name}",
            duration_s=_TRACE_DURATIONS_S[index % len(_TRACE_DURATIONS_S)],
            memory_mb=1024,
            by_hand=_kind(index) == "mode: observe",
        )
        for index, one in enumerate(traffic)
    ]


def _function_names(names: Sequence[str]) -> list[str]:
    """Names that Lambda takes (letters, digits, hyphens, underscores; 64 at most), no two the same."""
    taken: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:52] or "trace"
        number = sum(other == plain or other.startswith(f"{plain}-again-") for other in taken)
        taken.append(f"{plain}-again-{number}" if number else plain)
    return taken


def write_trace_fleet(parts: Sequence[Part], ceilings: Sequence[int], folder: Path) -> None:
    """Write policies for these parts into a folder: the same kinds as in the drawn fleet, a ceiling each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_defaults.yaml").write_text("mode: apply\ntimezone: UTC\n", encoding="utf-8")
    lines = ["targets:"]
    for index, (part, ceiling) in enumerate(zip(parts, ceilings, strict=True)):
        lines += [
            f"  - function: {part.function}",
            f"    qualifier: {QUALIFIER}",
            f"    capacity: {{min: 1, max: {ceiling}}}",
            f"    {_kind(index)}",
        ]
    (folder / "traces.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _kind(index: int) -> str:
    return _TRACE_KINDS[index % len(_TRACE_KINDS)]
