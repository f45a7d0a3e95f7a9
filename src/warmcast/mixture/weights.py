"""How much each candidate is believed, by what it would have cost. Pure numpy.

Bernstein online aggregation (Wintenberger 2017, "Optimal learning with Bernstein online aggregation") with the gradient
trick: each candidate's loss is the slope of the mixture's own loss times its distance from the mixture, so the weights
go to the best weighted mean of candidates, not to the best single one. Each candidate learns at a rate of its own, from
the squares of its own losses. Old losses fade with a half-life of ten days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.mixture.candidates import FAMILIES

if TYPE_CHECKING:
    from warmcast.model import FloatArray

HALF_LIFE_TICKS = 10 * 288

_FADES = 0.5 ** (1 / HALF_LIFE_TICKS)
_COUNT = len(FAMILIES)
_LEAST_SQUARES = 1e-3  # before anything is known
_FASTEST = 2.0
_NOTHING = 0.05  # how much "no capacity" is believed before anything is known
_PRIOR = np.append(np.full(_COUNT - 1, (1 - _NOTHING) / (_COUNT - 1)), _NOTHING)
_LOG_PRIOR = np.log(_PRIOR)


@dataclass(frozen=True, slots=True, eq=False)
class Regret:
    """What was lost by not following each candidate alone, faded, per shadow price (K) and candidate (C).

    Args:
        total: sum of what the mixture lost above the candidate, shape (K, C).
        squares: sum of its squares, shape (K, C).
    """

    total: FloatArray
    squares: FloatArray

    @staticmethod
    def none(prices: int) -> Regret:
        """Before anything is known."""
        return Regret(np.zeros((prices, _COUNT)), np.full((prices, _COUNT), _LEAST_SQUARES))

    def after(self, slopes: FloatArray, candidates: FloatArray, mixture: FloatArray) -> Regret:
        """The regret after N more ticks.

        Args:
            slopes: of the mixture's loss in capacity at each tick, scaled, shape (N, K).
            candidates: their capacities, shape (N, C).
            mixture: its capacity, shape (N, K).
        """
        faded = _FADES ** len(slopes)
        squared = slopes**2
        lost = slopes.T @ candidates - (slopes * mixture).sum(axis=0)[:, None]
        squares = squared.T @ candidates**2 - 2 * (squared * mixture).T @ candidates
        squares += (squared * mixture**2).sum(axis=0)[:, None]
        return Regret(faded * self.total - lost, faded * self.squares + np.maximum(squares, 0.0))

    def weights(self) -> FloatArray:
        """How much each candidate is believed at each shadow price, shape (K, C), rows sum to 1."""
        rate = np.minimum(np.sqrt(np.log(_COUNT) / self.squares), _FASTEST)
        exponent = np.log(rate) + rate * self.total + _LOG_PRIOR
        exponent -= exponent.max(axis=1, keepdims=True)
        believed = np.exp(exponent)
        shares: FloatArray = believed / believed.sum(axis=1, keepdims=True)
        return shares
