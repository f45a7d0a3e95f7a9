"""Draws traffic from measured weekly profiles (`tests/data/profiles.csv`): hourly means, minutes' variation. Pure.

A drawn week has the profile's mean in every hour, its share of load in an hour's first minute (timers), and minutes
that vary around that shape as much, and as persistently, as the measured ones did. It has no growth, no surprises.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from demo.traffic import DAY_MINUTES, MINUTE_S, InputError, Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from warmcast.model import FloatArray

WEEK_HOURS = 168
WEEK_MINUTES = 7 * DAY_MINUTES

# A lognormal tail runs farther out than any of the measured series did: beyond this many deviations it is cut.
MOST_DEVIATIONS = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What was measured of one series' weeks.

    Args:
        mean: mean concurrency of each hour of the week, Monday 00:00 UTC first, shape (168,).
        variation: coefficient of variation of the minutes of each hour, shape (168,).
        autocorrelation: lag-1 autocorrelation of the minutes around their hourly mean.
        first_minute_share: share of an hour's load that falls into its first minute; 1/60 if in no way special.
    """

    name: str
    mean: FloatArray
    variation: FloatArray
    autocorrelation: float
    first_minute_share: float


def read_profiles(path: Path) -> dict[str, Profile]:
    """The profiles by name; raises InputError where a series does not have all 168 hours of a week."""
    rows: dict[str, list[dict[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["trace"], []).append(row)
    return {name: _profile(name, hours, path) for name, hours in rows.items()}


def _profile(name: str, rows: list[dict[str, str]], path: Path) -> Profile:
    hours = {int(row["weekday"]) * 24 + int(row["hour_utc"]): row for row in rows}
    if sorted(hours) != list(range(WEEK_HOURS)):
        raise InputError(f"{path}: {name}: {len(hours)} hours of a week, expected {WEEK_HOURS}")
    week = [hours[hour] for hour in range(WEEK_HOURS)]
    return Profile(
        name=name,
        mean=np.array([float(row["mean_concurrency"]) for row in week]),
        variation=np.array([float(row["minute_cv"]) for row in week]),
        autocorrelation=float(week[0]["minute_autocorrelation"]),
        first_minute_share=float(week[0]["first_minute_share"]),
    )


def draw_traffic(profile: Profile, *, day: datetime, past_days: int, rng: np.random.Generator) -> Traffic:
    """Traffic for `past_days` before `day` (a midnight in UTC) and that day itself.

    Each minute is its place in the week's shape x a lognormal factor of mean 1 whose logarithm is a first-order
    autoregression; the factor carries only the variation that the shape itself does not.
    """
    past = past_days * DAY_MINUTES
    start = int(day.timestamp()) - past * MINUTE_S
    shape = weekly_shape(profile)
    first = datetime.fromtimestamp(start, UTC)
    minute = (np.arange(past + DAY_MINUTES) + first.weekday() * DAY_MINUTES) % WEEK_MINUTES
    sigma = np.sqrt(np.log1p(_own_variation(profile, shape) ** 2))[minute // 60]
    noise = np.clip(_autoregression(profile.autocorrelation, len(minute), rng), -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return Traffic(profile.name, start, shape[minute] * np.exp(sigma * noise - sigma**2 / 2), past)


def weekly_shape(profile: Profile) -> FloatArray:
    """Mean demand of each minute of the week, shape (10080,): straight lines whose hourly means are the profile's.

    The first minute of an hour gets its measured share of the hour's load, the other 59 the rest.
    """
    lines = _lines_through(profile.mean).reshape(WEEK_HOURS, 60)
    factor = np.full(60, (1 - profile.first_minute_share) * 60 / 59)
    factor[0] = profile.first_minute_share * 60
    shaped = lines * factor
    # A line steep within the hour, times the factor, misses the hour's mean by a little: put that right.
    means = shaped.mean(axis=1, keepdims=True)
    shape: FloatArray = (shaped * (profile.mean[:, np.newaxis] / np.maximum(means, 1e-9))).ravel()
    return shape


def _lines_through(hourly: FloatArray) -> FloatArray:
    """Straight lines between the hours' middles, whose mean over each hour is `hourly`; never below zero.

    An hour's mean is 1/8 of the knot before + 3/4 of its own + 1/8 of the next: a circulant system for the knots.
    """
    count = len(hourly)
    eye = np.eye(count)
    system = 0.75 * eye + 0.125 * (np.roll(eye, 1, axis=1) + np.roll(eye, -1, axis=1))
    knots = np.linalg.solve(system, hourly)
    middles = np.arange(count) * 60 + 30
    minutes = np.arange(count * 60) + 0.5
    lines: FloatArray = np.maximum(np.interp(minutes, middles, knots, period=count * 60), 0.0)
    return lines


def _own_variation(profile: Profile, shape: FloatArray) -> FloatArray:
    """The variation of each hour's minutes beyond what the shape varies within the hour, shape (168,)."""
    hours = shape.reshape(WEEK_HOURS, 60)
    mean = np.maximum(hours.mean(axis=1), 1e-9)
    shaped: FloatArray = (hours.std(axis=1) / mean) ** 2
    return np.sqrt(np.maximum(profile.variation**2 - shaped, 0.0))


def _autoregression(correlation: float, count: int, rng: np.random.Generator) -> FloatArray:
    """A standard normal series whose neighbours have the given correlation."""
    steps = rng.standard_normal(count)
    steps[1:] *= np.sqrt(1 - correlation**2)
    series = np.empty(count)
    last = 0.0
    for index, step in enumerate(steps):
        last = correlation * last + step
        series[index] = last
    return series


def draw_all(
    profiles: Mapping[str, Profile], names: tuple[str, ...], *, day: datetime, past_days: int, seed: int
) -> dict[str, Traffic]:
    """Traffic of the named profiles, each from its own stream of one seed, so that one more changes no other."""
    missing = [name for name in names if name not in profiles]
    if missing:
        raise InputError(f"no such profile: {', '.join(missing)}; there are: {', '.join(sorted(profiles))}")
    known = sorted(profiles)
    return {
        name: draw_traffic(
            profiles[name], day=day, past_days=past_days, rng=np.random.default_rng((seed, known.index(name)))
        )
        for name in names
    }
