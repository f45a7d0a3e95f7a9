"""Case: an alias before the judge: all that is known of it, the thresholds, and what a rule says of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.scan.found import AliasSeen, Evidence, Owner

if TYPE_CHECKING:
    from datetime import datetime

    from warmcast.model import Capacity
    from warmcast.prices import UnitPrices
    from warmcast.scan.figures import Option, Study
    from warmcast.scan.found import FunctionSeen, Place, Scaling, Usage, Verdict

DAY_S = 86_400
LATEST = "$LATEST"

# --- thresholds ------------------------------------------------------------------------------------------------------

LEAST_DAYS = 3.0
"""Of history with traffic. Two days can be a weekend, or a release; three have at least one working day."""

LEAST_KNOWN_SHARE = 0.95
"""Of the steps since the first known one. More unknown than a twentieth, and a daily peak may be among it."""

LEAST_CALLS_A_DAY = 24.0
"""Fewer than one an hour, and each call is cold without provisioned concurrency, whatever is bought: too sparse."""

MOST_THROTTLED_SHARE = 0.01
"""Of requests. With more, demand is hidden (and retries inflate it), so that no amount can be told from it."""

WORTH_DOING_USD = 1.0
WORTH_DOING_SHARE = 0.1
"""A month, and of what stands there: less is within the error of a model that reads five-minute means."""

SCHEDULE_USD = 5.0
SCHEDULE_SHARE = 0.2
"""A month, and of the constant need: a weekly table is fitted in hindsight and has to be kept up by someone."""

SCHEDULE_DAYS = 7.0
"""Of known history: before a week is over most hours of the week have not been seen."""

MODEL_FINDS = 0.55
"""The least share of a call-by-call simulation's cold starts that the model found (`docs/calculations.md`): a verdict
against provisioned concurrency must hold for 1 / 0.55 as many; one for it counts what the model found."""

BUY_USD = 5.0
"""A month, money saved and cold starts avoided at their worth together: for less nobody begins to look after it."""

LEAST_COLD_STARTS_A_DAY = 1.0
"""Avoided, before provisioned concurrency is bought for latency: fewer than one a day nobody will notice."""

SUBSTANTIAL_CALLS = 1000.0
MOST_SHARE_THROUGH = 0.001
"""Of a function with so many invocations, at most this share, and under `LEAST_CALLS_A_DAY`, is no traffic of its own:
a health check or somebody's test."""

SETTLED_S = DAY_S
"""A capacity or a shift younger than a day may be a deployment that has not ended (CodeDeploy's longest predefined
shift for Lambda takes 100 minutes)."""

RECENT_S = 2 * DAY_S
"""Capacity that was there so lately, and has a scalable target, is taken to come back: a night or a Sunday off."""

LEAST_SHIFTED_CALLS = 100.0
SHIFT_TOLERANCE = 0.02
"""How far the versions' shares of a day's invocations (no fewer than so many) may be from the weights that stand."""

RATE_PER_UNIT_S = 9.0
BUSY_SHARE = 0.8
"""Requests a second per unit over five minutes from which AWS's 10 bind in some of its seconds, and the utilization
above which concurrency explains a spillover as well as requests do."""

IDLE_S = 2 * 3600
"""Without a single invocation. Target tracking scales in after 15 minutes of low utilization that it can see."""


# --- the case --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is known of one alias or version; `study` None where there is no usage to study.

    Args:
        keepalive_min: how long an idle environment is taken to stay warm. AWS does not say.
    """

    place: Place
    function: FunctionSeen
    qualifier: str
    usage: Usage | None
    study: Study | None
    prices: UnitPrices
    cold_start_usd: float
    now: datetime
    keepalive_min: int = 10

    @property
    def alias(self) -> AliasSeen:
        """The alias; a published version stands for itself."""
        return self.function.aliases.get(self.qualifier) or AliasSeen(self.qualifier if self.numbered else "")

    @property
    def numbered(self) -> bool:
        """Whether the qualifier is a published version."""
        return self.qualifier.isdecimal()

    @property
    def capacity(self) -> Capacity | None:
        """What stands there now; None without provisioned concurrency."""
        return self.function.provisioned.get(self.qualifier)

    @property
    def units(self) -> int:
        """Requested now; 0 without provisioned concurrency."""
        return self.capacity.requested if self.capacity else 0

    @property
    def recurs(self) -> bool:
        """Whether none stands there at this hour, but its scalable target had some there and will have again."""
        if self.capacity or not self.scaling or not self.usage:
            return False
        stood = np.nan_to_num(self.usage.capacity)
        lately = (stood > 0) & (np.nan_to_num(self.usage.certain) > 0)
        again = bool(lately[-(RECENT_S // self.usage.step_s) :].any()) or self.scheduled_minimum > 0
        return again and bool(stood.any())

    @property
    def scheduled_minimum(self) -> int:
        """The highest minimum that a scheduled action sets; 0: none sets any."""
        scheduled = self.scaling.scheduled if self.scaling else ()
        return max((each.minimum or 0 for each in scheduled), default=0)

    @property
    def scaling(self) -> Scaling | None:
        """Its scalable target."""
        return self.function.scaling.get(self.qualifier)

    @property
    def owner(self) -> Owner:
        """Who sets the capacity, as far as can be told."""
        if self.scaling:
            return Owner.WARMCAST if self.scaling.ours else Owner.AUTO_SCALING
        if self.capacity is None:
            return Owner.NOBODY
        return Owner.STACK if self.function.stack else Owner.UNKNOWN

    @property
    def set_s_ago(self) -> float | None:
        """Seconds since the capacity was last set; None where that is not known."""
        at = self.capacity.last_modified if self.capacity else None
        return (self.now - at).total_seconds() if at else None

    @property
    def just_set(self) -> bool:
        """Whether its capacity was set within the last day."""
        return self.set_s_ago is not None and self.set_s_ago < SETTLED_S

    @property
    def steady(self) -> bool:
        """Whether nothing changes the capacity by itself: the same units stood all through the last day."""
        if self.scaling or not self.usage:
            return not self.scaling
        day = self.usage.capacity[-(DAY_S // self.usage.step_s) :]
        known = day[~np.isnan(day)]
        return self.just_set or bool((known == self.units).all())

    @property
    def standing(self) -> Option:
        """What stands there, a month of it: as measured, or as modelled where it stands only since lately."""
        study = self.known_study
        measured = study.stood
        changed = abs(study.figures.mean_capacity - self.units) > WORTH_DOING_SHARE * self.units
        return study.constant(self.units) if self.units and self.steady and changed else measured

    @property
    def known_study(self) -> Study:
        """The study of what has a usage; rules about money are asked of nothing else."""
        if self.study is None:
            raise ValueError(f"{self.function.name}:{self.qualifier} was not studied")
        return self.study

    @property
    def period(self) -> str:
        """`14 days`: of what was looked at."""
        return f"{self.usage.days:.3g} days" if self.usage else "no days"

    def metric(self, name: str, statistic: str) -> str:
        """A source: `CloudWatch Invocations, Sum, 14 days`."""
        return f"CloudWatch {name}, {statistic}, {self.period}"


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of a case; as in a `Finding`."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    amount: int | None = None
    monthly_usd: float = 0.0
    todo: str = ""
