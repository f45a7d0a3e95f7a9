"""How good forecasts were: pinball loss, scaled; ratios and their geometric means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warmcast.model import FloatArray

LEVELS: Final = np.array([0.5, 0.9, 0.99])


@dataclass(frozen=True, slots=True)
class Horizon:
    """How many of the steps ahead count."""

    name: str
    steps: int


TWO_HOURS: Final = Horizon("2 hours", 8)
ONE_DAY: Final = Horizon("24 hours", 96)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one forecaster said of one trace.

    Args:
        quantiles: at 0.5, 0.9 and 0.99, shape (origins, 3, steps); NaN: it failed.
        took_s: wall time at each origin, learning or fitting included, shape (origins,).
    """

    quantiles: FloatArray
    took_s: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """One trace: what came, and what everyone had said.

    Args:
        actual: shape (origins, steps); NaN is not scored.
        ours: Warmcast, by the name of what it was given.
        peers: statsforecast's models by name.
        lag: the same minutes of the week before.
        failures: what a peer that failed said, by its name.
    """

    name: str
    scale: float
    actual: FloatArray
    ours: Mapping[str, Told]
    peers: Mapping[str, Told]
    lag: Told
    failures: Mapping[str, str]
    peers_version: str

    def loss(self, told: Told, horizon: Horizon) -> FloatArray:
        """Mean scaled pinball loss at each level, shape (3,); NaN for a forecaster that failed anywhere."""
        steps = slice(0, horizon.steps)
        off = pinball(self.actual[:, None, steps], told.quantiles[:, :, steps], LEVELS[None, :, None])
        known = ~np.isnan(self.actual[:, steps])
        mean: FloatArray = off.transpose(1, 0, 2)[:, known].mean(axis=1) / self.scale
        return mean

    def best(self, horizon: Horizon) -> str:
        """The peer with the least loss over the three levels, in hindsight."""
        losses = {name: float(self.loss(told, horizon).mean()) for name, told in self.peers.items()}
        return min((name for name in losses if losses[name] == losses[name]), key=lambda name: losses[name])


def pinball(actual: FloatArray, foreseen: FloatArray, level: FloatArray | float) -> FloatArray:
    """Pinball (quantile) loss: each unit short costs the level, each unit too much 1 - level."""
    off = actual - foreseen
    loss: FloatArray = np.maximum(level * off, (level - 1) * off)
    return loss


def ratio(above: FloatArray | float, below: FloatArray | float) -> float:
    """Mean of the one over that of the other; 1 where both are 0, infinite where only the second is."""
    upper, lower = float(np.mean(above)), float(np.mean(below))
    if lower > 0:
        return upper / lower
    return 1.0 if upper == 0 else np.inf


def geometric_mean(ratios: Iterable[float]) -> float:
    """Geometric mean; NaN of nothing."""
    values = np.array(list(ratios))
    return float(np.exp(np.log(values).mean())) if values.size else np.nan
