"""The mixture at each of a ladder of shadow prices, and what each rung would have spilled and changed. Pure numpy.

A shadow price says what a spilled execution costs, in units standing idle for as long. One price for a target at all
times is the cheapest way to a spillover over all: a unit is bought where it takes most. Which price keeps a promise is
not known beforehand; so every rung of the ladder is replayed as it would have been requested, whole units and a dead
band included, and the promise is kept by the rung, or the point between two, that would have kept it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from warmcast.mixture.loss import carried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray

PRICES = np.array([1.1, 5 / 3, 2.5, 4, 7, 12, 20, 35, 60, 100, 180, 350, 700, 1500, 3000])
"""Shadow prices; 5/3 is where provisioned concurrency breaks even in us-east-1."""

BANDS = np.array([0.0, 0.03, 0.06, 0.1, 0.16, 0.25, 0.45, 1.0])
"""Dead bands: a fall by less than this share of the capacity wanted is not made, nor a rise by less than half of it."""

HALF_LIFE_TICKS = 14 * 288

_FADES = 0.5 ** (1 / HALF_LIFE_TICKS)
_LATELY = 0.5 ** (1 / np.array([29.0, 144.0]))  # half-lives of 2.4 and 12 hours, in ticks
_PRIOR_TICKS = 144.0  # half a day of what is typical weighs against what was seen
_TYPICAL = np.array(
    [0.97, 0.35, 0.2, 0.115, 0.057, 0.03, 0.017, 0.0092, 0.0051, 0.003, 0.00185, 0.001, 0.0006, 0.0003, 0.00025]
)
"""Spillover of each rung: the median over the benchmark's traces."""
_TYPICAL_CHANGES = np.array([0.5, 0.42, 0.32, 0.23, 0.16, 0.1, 0.05, 0.02])  # a tick, with each band


@dataclass(frozen=True, slots=True, eq=False)
class Lately:
    """What each rung would have carried for what stood, without a dead band, faded fast: H half-lives, K prices.

    Args:
        spilled: executions that would have spilled, shape (H, K).
        offered: all of them, shape (H,).
        allocated: units that would have stood, summed over minutes, shape (H, K).
    """

    spilled: FloatArray
    offered: FloatArray
    allocated: FloatArray

    @staticmethod
    def none() -> Lately:
        """Before anything is known."""
        shape = (len(_LATELY), len(PRICES))
        return Lately(np.zeros(shape), np.zeros(len(_LATELY)), np.zeros(shape))

    def after(self, spilled: FloatArray, offered: FloatArray, allocated: FloatArray) -> Lately:
        """After N more ticks of these, shapes (N, K), (N,), (N, K)."""
        faded = _LATELY[:, None] ** np.arange(len(offered) - 1, -1, -1.0)
        past = _LATELY ** len(offered)
        return Lately(
            past[:, None] * self.spilled + faded @ spilled,
            past * self.offered + faded @ offered,
            past[:, None] * self.allocated + faded @ allocated,
        )

    def worst_balance(self, rung: Rung, worth: float) -> float:
        """What was saved less what was allocated, over what could have been saved; the worst of the half-lives.

        `worth`: what a carried execution saves, in units standing idle for as long. 0 where there was no traffic.
        """
        balances = [
            (worth * (offered - rung.of(spilled)) - rung.of(allocated)) / (worth * offered)
            for spilled, offered, allocated in zip(self.spilled, self.offered, self.allocated, strict=True)
            if offered > 0
        ]
        return min(balances, default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What each rung would have done, faded with a half-life of 14 days: K prices, B bands.

    Args:
        spilled: executions (mean in progress, summed over minutes) that would have spilled, shape (K, B).
        offered: all of them, shape (1,).
        allocated: units that would have stood, summed over minutes, shape (K, B).
        changes: changes of the capacity, shape (K, B).
        ticks: how many ticks, shape (1,).
        lately: the same of the last hours, for what must be noticed soon.
    """

    spilled: FloatArray
    offered: FloatArray
    allocated: FloatArray
    changes: FloatArray
    ticks: FloatArray
    lately: Lately

    @staticmethod
    def none() -> Record:
        """Before anything is known."""
        shape = (len(PRICES), len(BANDS))
        return Record(np.zeros(shape), np.zeros(1), np.zeros(shape), np.zeros(shape), np.zeros(1), Lately.none())

    def after(self, held: FloatArray, loads: FloatArray, own: int) -> Record:
        """The record after N more ticks.

        Args:
            held: capacity of each rung from the tick before the first on, shape (N + 1, K, B).
            loads: of the five minutes from each tick on, shape (N, 5); NaN: gap.
            own: minutes of them before a rise is READY.
        """
        before, now = held[:-1], held[1:]
        faded = _FADES ** np.arange(len(loads) - 1, -1, -1.0)
        early = carried(np.minimum(before, now)[:, None], loads[:, :own, None, None]).spilled.sum(axis=1)
        late = carried(now[:, None], loads[:, own:, None, None]).spilled.sum(axis=1)
        past = _FADES ** len(loads)
        spilled, allocated = (early + late)[:, :, 0], now[:, :, 0] * loads.shape[1]
        return replace(
            self,
            lately=self.lately.after(spilled, np.nansum(loads, axis=1), allocated),
            spilled=past * self.spilled + np.tensordot(faded, early + late, axes=1),
            offered=past * self.offered + faded @ np.nansum(loads, axis=1),
            allocated=past * self.allocated + np.tensordot(faded, now, axes=1) * loads.shape[1],
            changes=past * self.changes + np.tensordot(faded, (before != now).astype(np.float64), axes=1),
            ticks=past * self.ticks + faded.sum(),
        )

    def as_arrays(self) -> dict[str, FloatArray]:
        """Its fields by name, those of `lately` after a dot."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "lately"}
        return own | {f"lately.{field.name}": getattr(self.lately, field.name) for field in fields(Lately)}

    @staticmethod
    def from_arrays(arrays: Mapping[str, FloatArray]) -> Record:
        """The record kept by `as_arrays`."""
        lately = Lately(**{field.name: arrays[f"lately.{field.name}"] for field in fields(Lately)})
        return Record(
            **{field.name: arrays[field.name] for field in fields(Record) if field.name != "lately"}, lately=lately
        )

    @property
    def spillover(self) -> FloatArray:
        """Share that each rung would have spilled, shape (K, B); while little is known, drawn to what is typical."""
        ticks = float(self.ticks[0])
        mean = float(self.offered[0]) / ticks if ticks and self.offered[0] > 0 else 1.0
        share = (self.spilled + _PRIOR_TICKS * mean * _TYPICAL[:, None]) / ((ticks + _PRIOR_TICKS) * mean)
        monotone: FloatArray = np.minimum.accumulate(np.clip(share, 1e-9, 1.0), axis=0)
        return monotone

    @property
    def changes_per_day(self) -> FloatArray:
        """How often each rung would have changed its capacity, shape (K, B)."""
        per_tick = (self.changes + _PRIOR_TICKS * _TYPICAL_CHANGES) / (float(self.ticks[0]) + _PRIOR_TICKS)
        return per_tick * 288


@dataclass(frozen=True, slots=True)
class Rung:
    """A place on the ladder: `part` of the way from rung `lower` to the next; at the last rung `part` is 0."""

    lower: int
    part: float

    def of(self, values: FloatArray) -> float:
        """The value at this place of one value per rung, shape (K,)."""
        upper = min(self.lower + 1, len(values) - 1)
        return float((1 - self.part) * values[self.lower] + self.part * values[upper])

    @property
    def price(self) -> float:
        """The shadow price there."""
        return float(np.exp(self.of(np.log(PRICES))))


def held_after(held: FloatArray, wanted: FloatArray) -> FloatArray:
    """What each rung and band holds after wanting this much: shapes (K, B), (K,) -> (K, B)."""
    whole = np.ceil(wanted - 0.5)[:, None]
    off = whole - held
    band = wanted[:, None] * BANDS
    moved: FloatArray = np.where((off > band / 2) | (-off > band), whole, held)
    return moved


def rung_for_share(shares: FloatArray, asked: float) -> Rung:
    """Where the ladder's shares (K,), falling, come down to what is asked; linear in the logarithm between rungs."""
    enough = np.flatnonzero(shares <= asked)
    if not enough.size:
        return Rung(len(shares) - 1, 0.0)
    upper = int(enough[0])
    if upper == 0:
        return Rung(0, 0.0)
    above, below = np.log(shares[upper - 1]), np.log(shares[upper])
    return Rung(upper - 1, float(np.clip((above - np.log(asked)) / max(above - below, 1e-12), 0.0, 1.0)))


def rung_for_price(price: float) -> Rung:
    """Where the ladder has a shadow price; beyond its ends, the end."""
    upper = int(np.searchsorted(PRICES, price))
    if upper == 0:
        return Rung(0, 0.0)
    if upper == len(PRICES):
        return Rung(len(PRICES) - 1, 0.0)
    low, high = np.log(PRICES[upper - 1]), np.log(PRICES[upper])
    return Rung(upper - 1, float((np.log(price) - low) / (high - low)))
