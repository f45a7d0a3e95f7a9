"""The fleet that is measured: a thousand targets of three characters, their policies and their traffic.

Of ten targets four work round the clock, four in office hours, two now and then. Shapes come from the measured weekly
profiles (`tests/data/profiles.csv`); sizes and durations are spread over two decades each. Everything is drawn from
one seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from builders import policy, target
from demo.profiles import draw_traffic, read_profiles
from warmcast.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warmcast.fleet import Policy
    from warmcast.model import FloatArray, TargetId

PROFILES: Final = Path(__file__).parents[1] / "data" / "profiles.csv"
SEED: Final = 20260304
WEDNESDAY: Final = datetime(2026, 3, 4, tzinfo=UTC)
SUNDAY: Final = datetime(2026, 3, 8, tzinfo=UTC)
"""The days that are measured; traffic begins 16 days before the first and ends with the day after the last."""

PAST_DAYS: Final = 16
DAYS: Final = PAST_DAYS + 6
DAY_MINUTES: Final = 1440
START_S: Final = int(WEDNESDAY.timestamp()) - PAST_DAYS * 86_400


class Character(StrEnum):
    """When a target has traffic."""

    ALWAYS = "round the clock"
    OFFICE = "office hours"
    RARE = "now and then"


OF_TEN: Final = (Character.ALWAYS,) * 4 + (Character.OFFICE,) * 4 + (Character.RARE,) * 2
MEAN_DEMAND: Final = (0.7, 2.0, 5.0, 15.0, 40.0, 120.0)
DURATION_S: Final = (0.05, 0.2, 0.5, 1.0, 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One target of the fleet.

    Args:
        shape: demand of each minute from `START_S`, relative to its mean round the clock; shared by many targets.
        mean_demand: what the shape is multiplied by, in concurrent executions.
        duration_s: how long a call lasts.
    """

    target: TargetId
    policy: Policy
    character: Character
    shape: FloatArray
    mean_demand: float
    duration_s: float


def populate(count: int) -> list[Member]:
    """So many targets; a smaller fleet is the beginning of a larger one."""
    shapes = _shapes()
    return [_member(index, shapes) for index in range(count)]


def fleet_of(members: Sequence[Member]) -> Fleet:
    """Their policies as a fleet without findings."""
    return Fleet(policies={each.target: each.policy for each in members}, findings=(), version="bench", refused=())


def _member(index: int, shapes: Mapping[Character, Sequence[FloatArray]]) -> Member:
    """Characters, shapes, sizes and durations turn at different speeds, so that all meet all."""
    character = OF_TEN[index % len(OF_TEN)]
    name = f"{character.name.lower()}-{index:04}:live"
    return Member(
        target=target(name),
        policy=_policy(name, index),
        character=character,
        shape=shapes[character][index // 10 % len(shapes[character])],
        mean_demand=MEAN_DEMAND[index // 3 % len(MEAN_DEMAND)],
        duration_s=DURATION_S[index // 7 % len(DURATION_S)],
    )


def _policy(name: str, index: int) -> Policy:
    """Every third policy has a schedule in a zone of its own, every fifth another objective than the default."""
    keys: dict[str, object] = {}
    if index % 3 == 0:
        keys["timezone"] = "Europe/London"
        keys["schedule"] = [{"name": "day", "days": "mon-fri", "from": "07:30", "to": "19:00", "min": 3}]
    if index % 5 == 0:
        keys["objective"] = {"cold_start_cost": 0.0004}
    return policy(name, low=1, high=2000, **keys)


def _shapes() -> dict[Character, list[FloatArray]]:
    profiles = read_profiles(PROFILES)
    rng = np.random.default_rng(SEED)
    end = WEDNESDAY + timedelta(days=DAYS - PAST_DAYS - 1)
    drawn = [draw_traffic(each, day=end, past_days=DAYS - 1, rng=rng).demand for each in profiles.values()]
    steady = [demand / demand.mean() for demand in drawn]
    return {
        Character.ALWAYS: steady,
        Character.OFFICE: [shape * _office() for shape in steady],
        Character.RARE: [shape * _bursts(rng) for shape in steady],
    }


def _office() -> FloatArray:
    """1 from 8:00 to 19:00 UTC on working days, 0 otherwise."""
    minute = np.arange(DAYS * DAY_MINUTES)
    weekday = (minute // DAY_MINUTES + WEDNESDAY.weekday() - PAST_DAYS) % 7
    hour = minute % DAY_MINUTES / 60
    office: FloatArray = ((weekday < 5) & (hour >= 8) & (hour < 19)).astype(np.float64)
    return office


def _bursts(rng: np.random.Generator) -> FloatArray:
    """1 in six runs of ten minutes a day between 7:00 and 21:00, 0 otherwise."""
    busy = np.zeros(DAYS * DAY_MINUTES)
    for day in range(DAYS):
        for start in rng.integers(7 * 60, 21 * 60 - 10, size=6):
            busy[day * DAY_MINUTES + start :][:10] = 1.0
    return busy
