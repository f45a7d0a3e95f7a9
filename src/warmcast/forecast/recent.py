"""The last day of a target's history, set against what was learned. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.calendar import minute_of_week
from warmcast.forecast.burst import minute_scatter
from warmcast.forecast.season import BIN_MINUTES, BINS
from warmcast.forecast.steps import STEP_S, UNKNOWN_DURATION_S, Steps, arrival_rate, five_minute_steps
from warmcast.forecast.tables import LEADS, MEMBERS, WINDOWS, Tables, compress, stand_in, unit_for, windows

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from warmcast.model import FloatArray, History, IntArray, Learned

LOOK_BACK_STEPS = 20
"""Steps at the end for which every window is full: as far back as a forecast is issued in hindsight."""

_STEPS = int(WINDOWS[-1]) + LOOK_BACK_STEPS
_MINUTE_S = 60
_SCATTER_S = 2 * 3600  # minutes over which their scatter is measured
_LEAST_LEARNED_DAYS = 3 / 24  # what less than three hours taught is soon older than it is good
_UNSEEN_FADES_STEPS = 48.0  # a level that history never showed is believed, and fades over four hours


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """The last day in 5-minute steps (N,), up to the last one known, as the tables see it.

    Args:
        foreseen: what the first member's season alone says of each step, on its compressed scale.
        seen: each member's means of its surprises over each window up to and with each of the last steps, as far as a
            forecast is issued in hindsight, shape (M, windows, n).
        scatter: deviation of a minute's rate from its 5 minutes' mean, on the first member's compressed scale.
        newest_rate_per_s: mean of the two newest known minutes, which may not make a whole step; NaN: none.
        newest_foreseen: what the season says of them.
        newest_bin: their 5 minutes of the local week.
    """

    tables: Tables
    steps: Steps
    rate_per_s: FloatArray
    bin_of_week: IntArray
    foreseen: FloatArray
    seen: FloatArray
    scatter: float
    newest_rate_per_s: float
    newest_foreseen: float
    newest_bin: int

    @staticmethod
    def of(history: History, learned: Learned | None, newest: int, zone: ZoneInfo) -> Recent:
        """The last day up to `newest`, epoch seconds: the end of the newest known minute."""
        steps = _last_day(history, newest)
        bins = minute_of_week(np.append(steps.at, newest - _MINUTE_S), zone) // BIN_MINUTES
        tables = _learned_tables(learned) or _flat(steps)
        unit = float(tables.unit[0])
        rate = steps.rate_given(tables.duration_s[bins[:-1] % BINS])
        profiles = tables.profiles(bins)
        surprise = compress(rate, tables.unit[:, None]) - profiles[:, :-1]
        foreseen = profiles[0]
        fine = history.fine.between(newest - _SCATTER_S, newest)
        minutes = arrival_rate(fine)
        minutes = np.where(np.isnan(minutes), fine.demand / tables.duration_s[bins[-1] % BINS], minutes)
        known = minutes[~np.isnan(minutes)]
        return Recent(
            tables=tables,
            steps=steps,
            rate_per_s=rate,
            bin_of_week=bins[:-1],
            foreseen=foreseen[:-1],
            seen=windows(surprise, LOOK_BACK_STEPS),
            scatter=minute_scatter(fine, minutes, unit),
            newest_rate_per_s=float(known[-2:].mean()) if known.size else np.nan,
            newest_foreseen=float(foreseen[-1]),
            newest_bin=int(bins[-1]),
        )

    def seen_at(self, origins: IntArray) -> FloatArray:
        """Means of the surprises over each window up to and with these of the last steps, (M, windows, origins)."""
        seen: FloatArray = self.seen[:, :, origins - len(self.rate_per_s)]
        return seen

    def expected(self, origins: IntArray, ahead: IntArray) -> FloatArray:
        """What the first member expects of steps after each origin, on its compressed scale, shape (origins, ahead).

        A step behind the last whole one is that of the newest two minutes.
        """
        tables = self.tables
        at = np.minimum(origins[:, None] + ahead, len(self.rate_per_s))
        profile = np.append(self.foreseen, self.newest_foreseen)[at]
        seen = self.seen_at(origins)[0]
        usual = np.clip(seen, *tables.usual[0])
        follow = at_leads(tables.follow[0], ahead.astype(np.float64))
        left = usual.T @ follow[:, :-1].T + (seen[1] - usual[1])[:, None] * unseen_left(ahead)
        expected: FloatArray = profile + left + follow[:, -1] * (profile - tables.level[0])
        return expected

    def centres(self, origin: int, profiles: FloatArray, follow: FloatArray, leads: FloatArray) -> FloatArray:
        """What each member expects of the steps at these leads after an origin, each on its scale, shape (M, H).

        Profile, what is left of the surprise, and what the profile is to be corrected by. The part of the level that
        history never showed is beyond what fading was measured on: it is believed.

        Args:
            origin: a step of the last day.
            profiles: of the steps ahead, shape (M, H).
            follow: at these leads, shape (M, windows + 1, H).
            leads: steps after the origin, shape (H,).
        """
        seen = self.seen_at(np.array([origin]))
        usual = np.clip(seen, self.tables.usual[:, :1, None], self.tables.usual[:, 1:, None])
        left = (usual * follow[:, :-1]).sum(axis=1)
        unseen = (seen - usual)[:, 1] * unseen_left(leads)
        centres: FloatArray = profiles + left + follow[:, -1] * (profiles - self.tables.level[:, None]) + unseen
        return centres

    def level(self, origin: int) -> float:
        """The highest rate within the 15 minutes up to a step, per second; 0 where none is known."""
        known = np.append(self.rate_per_s[max(0, origin - 2) : origin + 1], self.newest_rate_per_s)
        return float(np.nanmax(known, initial=0.0))

    def unseen_part(self, origin: int) -> float:
        """How far the last 15 minutes were off beyond all that history has shown the first member."""
        level = self.seen_at(np.array([origin]))[0, 1]
        return float((level - np.clip(level, *self.tables.usual[0]))[0])


def unseen_left(leads: FloatArray | IntArray) -> FloatArray:
    """Share of an unprecedented level that is believed to be still there after so many steps."""
    left: FloatArray = np.exp(-np.maximum(leads, 0.0) / _UNSEEN_FADES_STEPS)
    return left


def at_leads(table: FloatArray, leads: FloatArray) -> FloatArray:
    """Rows of a table per lead, interpolated between the leads kept (over their logarithm), shape (H, columns)."""
    place = np.interp(np.log(np.maximum(leads, 1.0)), np.log(LEADS), np.arange(len(LEADS)))
    low = np.minimum(place.astype(np.int64), len(LEADS) - 2)
    share = (place - low)[:, None]
    rows: FloatArray = (1 - share) * table[low] + share * table[low + 1]
    return rows


def _last_day(history: History, newest: int) -> Steps:
    """The last day of whole steps, up to the last known one; of the first minutes ever, the step under way."""
    whole = newest // STEP_S * STEP_S
    for end in (whole, whole + STEP_S):
        steps = five_minute_steps(history, whole - _STEPS * STEP_S, end)
        known = np.flatnonzero(~np.isnan(steps.demand))
        if known.size:
            return steps.upto(int(known[-1]) + 1)
    raise AssertionError("the newest known minute lies within the last day before it")


def _learned_tables(learned: Learned | None) -> Tables | None:
    """What was learned, unless it came from too short a time or an older version of Warmcast."""
    tables = Tables.from_arrays(learned.arrays) if learned else None
    return tables if tables and float(tables.known_days[0]) >= _LEAST_LEARNED_DAYS else None


def _flat(steps: Steps) -> Tables:
    duration_s = steps.duration_s or UNKNOWN_DURATION_S
    rate = steps.rate_given(np.full(len(steps.demand), duration_s))
    known_days = float((~np.isnan(rate)).sum()) / BINS
    return stand_in(unit_for(rate, MEMBERS[0]), duration_s, min(known_days, 0.99))
