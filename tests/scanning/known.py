"""The words of a known answer: a function, how it is prepared, and what a scan must say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from scanning.minutes import DAYS, Clockwork, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws import Control, Traffic
    from warmcast.scan.found import Owner, Pressure, Verdict

DATA_DELAY_MIN = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What a scan must say of one alias or version.

    Args:
        amount: least and most units that are right; None: the verdict needs none (0 is allowed, and what stands).
        monthly_usd: least and most, of what following the verdict changes of the bill.
        mentions: patterns, each found somewhere in the evidence or in what to do (upper and lower case alike).
        why: how the answer follows, for whoever doubts it.
    """

    verdict: Verdict
    owner: Owner
    monthly_usd: tuple[float, float]
    mentions: tuple[str, ...]
    why: str
    amount: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A function that is prepared in a Region.

    Args:
        qualifier: which the answer is about.
        build: makes the function and everything of it but its metrics, which come from what it answers: by qualifier.
        known: None: no verdict is held against a scan.
        pressure: what its reservation is worth a word for; None: nothing is said about that.
    """

    function: str
    region: str
    build: Callable[[Setting], dict[str, Traffic]]
    known: Known | None = None
    qualifier: str = "live"
    pressure: Pressure | None = None

    @property
    def name(self) -> str:
        """`function:qualifier`."""
        return f"{self.function}:{self.qualifier}"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a case is prepared: the Region's commands, the present, the minutes, chance, and the function's name."""

    aws: Control
    function: str
    now: datetime
    random: np.random.Generator
    clock: Clockwork = field(init=False)

    def __post_init__(self) -> None:
        newest = int(self.now.timestamp()) // 60 - DATA_DELAY_MIN
        object.__setattr__(self, "clock", Clockwork(newest + 1 - DAYS * 1440))

    @property
    def start(self) -> datetime:
        """The first minute."""
        return datetime.fromtimestamp(self.clock.first * 60, UTC)


def prepare(case: Case, control: Control, *, now: datetime, seed: int) -> Traffic:
    """Make a case's function and load its metrics; answers the traffic of the whole function."""
    setting = Setting(control.elsewhere(region=case.region), case.function, now, np.random.default_rng(seed))
    parts = case.build(setting)
    whole = together(list(parts.values()))
    qualified = {qualifier: minutes for qualifier, minutes in parts.items() if qualifier}
    for qualifier, minutes in {**qualified, "": whole}.items():
        setting.aws.load_metrics(minutes.series(_where(case.function, qualifier), setting.start))
    return whole


def _where(function: str, qualifier: str) -> dict[str, str]:
    resource = {"Resource": f"{function}:{qualifier}"} if qualifier else {}
    return {"FunctionName": function, **resource}
