"""Verdicts as tables: for the terminal every incident on every trace, for the page a summary and what failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from incidents.play import Verdict

HEAD = (
    "incident",
    "trace",
    "cold starts, worst 5 min",
    "of calls",
    "spillover",
    "mean units",
    "invariants",
    "echo",
    "gate",
)
SUMMARY_HEAD = (
    "incident",
    "traces",
    "no colder",
    "cold starts / target tracking's",
    "units / its units",
    "kept",
    "silent",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One incident on one trace."""

    incident: str
    trace: str
    verdict: Verdict

    def cells(self) -> tuple[str, ...]:
        """The row in words; where there are two figures, Warmcast's and target tracking's."""
        verdict = self.verdict
        ours, theirs = verdict.ours, verdict.tracking
        return (
            self.incident,
            self.trace,
            f"{ours.worst:.1f} / {theirs.worst:.1f}",
            f"{ours.worst_share:.2%} / {theirs.worst_share:.2%}",
            f"{ours.spillover:.2%} / {theirs.spillover:.2%}",
            f"{ours.mean_ready:.1f} / {theirs.mean_ready:.1f}",
            _several([str(breach) for breach in verdict.broken]) or "kept",
            self._echo(),
            "good" if verdict.good else "; ".join(self.failed()),
        )

    def _echo(self) -> str:
        """The loudest of what is too loud, else the loudest ratio; nothing where nothing is asked."""
        if self.verdict.heard:
            return _several([str(echo) for echo in self.verdict.heard])
        loudest = max(self.verdict.echoes, key=lambda echo: abs(echo.lived - echo.calm), default=None)
        return f"{loudest.ratio:.2f}" if loudest else "-"

    def failed(self) -> list[str]:
        """The gates that fail, by name."""
        gates = {
            "colder": self.verdict.colder,
            "invariants": bool(self.verdict.broken),
            "echo": bool(self.verdict.heard),
        }
        return [name for name, fails in gates.items() if fails]


def summary(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A line for each incident: how many traces hold each gate, and the medians over them."""
    lines: list[tuple[str, ...]] = []
    for incident in dict.fromkeys(row.incident for row in rows):
        verdicts = [row.verdict for row in rows if row.incident == incident]
        asked = [verdict for verdict in verdicts if verdict.echoes]
        colds = [_ratio(verdict.ours.worst, verdict.tracking.worst) for verdict in verdicts]
        units = [_ratio(verdict.ours.mean_ready, verdict.tracking.mean_ready) for verdict in verdicts]
        lines.append(
            (
                incident,
                str(len(verdicts)),
                str(sum(not verdict.colder for verdict in verdicts)),
                f"{np.median(colds):.2f} (worst {max(colds):.2f})",
                f"{np.median(units):.2f} (most {max(units):.2f})",
                str(sum(not verdict.broken for verdict in verdicts)),
                str(sum(not verdict.heard for verdict in asked)) if asked else "-",
            )
        )
    return lines


def page(rows: Sequence[Row], *, promise: str, about: str) -> str:
    """`docs/incidents.md`."""
    failing = [row.cells() for row in rows if not row.verdict.good]
    played = (
        f"Played on {len({row.trace for row in rows})} traces, at a promise of {promise} of spillover; both sides see"
        f" the same minutes. {len(rows) - len(failing)} of {len(rows)} hold every gate."
    )
    failed = _markdown(HEAD, failing) if failing else "Nowhere."
    parts = ["# Incidents", about, played, _markdown(SUMMARY_HEAD, summary(rows)), "## Where a gate fails", failed]
    return "\n\n".join(parts) + "\n"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _several(words: list[str]) -> str:
    """The first of them, and how many more there are."""
    return "" if not words else words[0] + (f" (and {len(words) - 1} more)" if len(words) > 1 else "")


def _ratio(one: float, other: float) -> float:
    """One over the other, a tenth added to both: expected cold starts of nearly none are no ratio."""
    return (one + 0.1) / (other + 0.1)
