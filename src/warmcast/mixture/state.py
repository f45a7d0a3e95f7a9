"""What the mixture knows of a target, as arrays that can be kept. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from warmcast.mixture.candidates import PREDICTIONS, Family
from warmcast.mixture.ladder import BANDS, PRICES, Record
from warmcast.mixture.past import Season
from warmcast.mixture.weights import Regret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.model import FloatArray

VERSION = 1
"""Raised when the meaning of the state changes: an older one is learned again."""

_PREFIX = "mixture."


@dataclass(frozen=True, slots=True, eq=False)
class MixtureState:
    """Everything that the next tick starts from; made of history alone.

    Args:
        lead_min: lead time that it was learned for.
        slot: seconds of a unit that an execution takes at least, over its duration: 1, more under 100 ms.
        next_tick: minutes since the epoch of the first tick whose outcome is not counted yet.
        season: past weeks by the wall clock.
        regret: of each candidate.
        record: of each rung.
        mixture: capacity per rung at the tick before `next_tick` and at those from it on, shape (N + 1, K); the last is
            the newest tick's.
        held: what each rung and band held at those ticks, shape (N + 1, K, B).
        load: mean load so far, to scale losses.
        errors: faded sum of each prediction's absolute error, and last of the load itself, shape (P + 1,).
        cold: cold starts over spilled executions at each rung, by the model, shape (K,).
        families: at the newest tick, per rung: how much each family of candidates is believed, and the mean capacity
            of those believed in it, shape (2, K, families).
    """

    lead_min: int
    slot: float
    next_tick: int
    season: Season
    regret: Regret
    record: Record
    mixture: FloatArray
    held: FloatArray
    load: float
    errors: FloatArray
    cold: FloatArray
    families: FloatArray

    @property
    def newest_tick(self) -> int:
        """Minutes since the epoch of the last tick whose mixture was made; 0 before the first."""
        made = len(self.mixture) - 1
        return self.next_tick + 5 * (made - 1) if made else 0

    def as_arrays(self) -> dict[str, FloatArray]:
        """The state by name, with its version; what is only added up is kept in single precision."""
        numbers = [VERSION, self.lead_min, self.slot, self.next_tick, self.season.start, self.load]
        arrays = {
            "numbers": np.array(numbers, dtype=np.float64),
            "season": _single(self.season.steps),
            "regret": _single(self.regret.total),
            "squares": _single(self.regret.squares),
            "mixture": self.mixture,
            "held": self.held,
            "errors": self.errors,
            "cold": self.cold,
            "families": self.families,
        }
        arrays |= {f"record.{name}": kept for name, kept in self.record.as_arrays().items()}
        return {_PREFIX + name: values for name, values in arrays.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, FloatArray]) -> MixtureState | None:
        """The state kept by `as_arrays`; None where there is none, or one of another version."""
        kept = {name.removeprefix(_PREFIX): values for name, values in arrays.items() if name.startswith(_PREFIX)}
        if not kept or kept["numbers"][0] != VERSION:
            return None
        _, lead_min, slot, next_tick, season_start, load = (float(each) for each in kept["numbers"])
        return MixtureState(
            lead_min=int(lead_min),
            slot=slot,
            next_tick=int(next_tick),
            season=Season(int(season_start), kept["season"]),
            regret=Regret(kept["regret"].astype(np.float64), kept["squares"].astype(np.float64)),
            record=Record.from_arrays(
                {name.removeprefix("record."): values for name, values in kept.items() if name.startswith("record.")}
            ),
            mixture=kept["mixture"],
            held=kept["held"],
            load=load,
            errors=kept["errors"],
            cold=kept["cold"],
            families=kept["families"],
        )


def _single(values: FloatArray) -> FloatArray:
    """In single precision, which is enough for what is only added up: half the memory of a thousand targets."""
    return cast("FloatArray", values.astype(np.float32))


def fresh(*, lead_min: int, slot: float, first_tick: int, season: Season) -> MixtureState:
    """The state before the first tick."""
    prices, bands = len(PRICES), len(BANDS)
    return MixtureState(
        lead_min=lead_min,
        slot=slot,
        next_tick=first_tick,
        season=season,
        regret=Regret.none(prices),
        record=Record.none(),
        mixture=np.zeros((1, prices)),
        held=np.zeros((1, prices, bands)),
        load=0.0,
        errors=np.zeros(len(PREDICTIONS) + 1),
        cold=np.ones(prices),
        families=np.zeros((2, prices, len(Family))),
    )
