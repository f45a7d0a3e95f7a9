"""What a capacity costs: units that stand idle, executions that spill over. Erlang's B from a table. Pure numpy.

One exact value takes tens of exponentials, and learning looks millions up, so a grid is made once per process and read
by interpolation: demand on a logarithmic scale, capacity in standard deviations from it. Against the exact formula the
spilled load is within 0.5% of sqrt(demand + 1), the marginal load within 0.002 (`tests/test_mixture_loss.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from warmcast.erlang import erlang_b

if TYPE_CHECKING:
    import numpy.typing as npt

    from warmcast.model import FloatArray

NEED_SPILLOVER = 0.01
"""Share that may spill at the capacity which staffs a demand known for certain: the unit that candidates think in."""

_LEAST_DEMAND = 1e-3  # less is none
_LOG_DEMAND = np.linspace(np.log(_LEAST_DEMAND), np.log(6e4), 160)
_DEVIATIONS = np.linspace(-8.0, 12.0, 241)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Spilled load over sqrt(demand + 1), and marginal load, per demand (rows) and deviation (columns), flattened."""

    spilled: FloatArray
    marginal: FloatArray


@cache
def _grid() -> _Grid:
    demand = np.exp(_LOG_DEMAND)[:, None]
    root = np.sqrt(demand + 1)
    capacity = (demand + _DEVIATIONS * root).ravel()
    offered = np.repeat(demand, len(_DEVIATIONS))
    spilled = offered * erlang_b(np.abs(capacity), offered)
    marginal = spilled - offered * erlang_b(np.abs(capacity) + 1, offered)
    none = offered / (1 + offered)  # what the first unit takes
    # Below no capacity at all the curves go on straight, so that it is met exactly in the cell that it lies in.
    spilled = np.where(capacity < 0, 2 * offered - spilled, spilled)
    marginal = np.where(capacity < 0, 2 * none - marginal, marginal)
    return _Grid(spilled / np.repeat(root, len(_DEVIATIONS)), marginal)


class Carried:
    """What a capacity does with a demand, in executions: each figure is looked up when it is asked for.

    Shapes broadcast, capacity is real, demand 0 or NaN spills nothing. What depends on the demand alone is worked out
    in its own shape: there are many capacities to one demand.
    """

    def __init__(self, capacity: FloatArray, demand: FloatArray) -> None:
        self._capacity = capacity
        self._there = demand > _LEAST_DEMAND
        self._offered = np.where(self._there, demand, 1.0)
        self._root = np.sqrt(self._offered + 1)
        self._deviation = (capacity - self._offered) / self._root
        row, self._up = _place(np.log(self._offered), _LOG_DEMAND)
        column, self._right = _place(self._deviation, _DEVIATIONS)
        self._cell = row * len(_DEVIATIONS) + column

    @cached_property
    def spilled(self) -> FloatArray:
        """Mean executions that find no unit free.

        Below the grid, in overload, 1/B goes to 1 + c / (a - c)^2: what spills is a - c + c / (a - c).
        """
        missing = self._missing
        within = self._between(_grid().spilled) * self._root
        return self._bounded(within, overload=missing + self._capacity / missing)

    @cached_property
    def marginal(self) -> FloatArray:
        """Mean executions that one more unit would take of them, 0-1."""
        within = np.clip(self._between(_grid().marginal), 0.0, 1.0)
        return self._bounded(within, overload=1 - self._offered / self._missing**2)

    @property
    def _short(self) -> npt.NDArray[np.bool_]:
        short: npt.NDArray[np.bool_] = self._deviation <= _DEVIATIONS[0]
        return short

    @property
    def _missing(self) -> FloatArray:
        return np.where(self._short, self._offered - self._capacity, 1.0)

    def _between(self, values: FloatArray) -> FloatArray:
        """Values of the grid, linear within each cell."""
        cell, right, up = self._cell, self._right, self._up
        low = values[cell] + right * (values[cell + 1] - values[cell])
        cell = cell + len(_DEVIATIONS)
        high = values[cell] + right * (values[cell + 1] - values[cell])
        between: FloatArray = low + up * (high - low)
        return between

    def _bounded(self, within: FloatArray, *, overload: FloatArray) -> FloatArray:
        """Beyond the grid's deviations: in overload as said, nothing where capacity is ample; nothing of no demand."""
        ample = self._deviation >= _DEVIATIONS[-1]
        bounded: FloatArray = np.where(self._there, np.where(self._short, overload, np.where(ample, 0.0, within)), 0.0)
        return bounded


def carried(capacity: FloatArray, demand: FloatArray) -> Carried:
    """Spilled and marginal load of each pair of a capacity and a demand."""
    return Carried(np.asarray(capacity), np.asarray(demand))


def _place(values: FloatArray, grid: FloatArray) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], FloatArray]:
    """The cell of an even grid that holds each value, and how far into it, 0-1."""
    at = np.clip((values - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.001)
    cell = at.astype(np.int64)
    return cell, at - cell


@cache
def _needs() -> FloatArray:
    """The capacity that spills NEED_SPILLOVER at each demand of the grid."""
    demand = np.exp(_LOG_DEMAND)
    low, high = np.zeros(len(demand)), demand + 10 * np.sqrt(demand) + 10
    for _ in range(50):  # halves the bracket to well under a millionth
        middle = (low + high) / 2
        enough = erlang_b(middle, demand) <= NEED_SPILLOVER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    needs: FloatArray = high
    return needs


def staffed(demand: FloatArray) -> FloatArray:
    """The capacity (real) that would spill 1% of a demand known for certain: 5 -> 10.8, 84.06 -> 100.1; same shape."""
    units: FloatArray = np.where(
        demand > _LEAST_DEMAND,
        np.interp(np.log(np.maximum(demand, _LEAST_DEMAND)), _LOG_DEMAND, _needs()),
        demand / _LEAST_DEMAND * _needs()[0],
    )
    return units


def demand_of(capacity: FloatArray) -> FloatArray:
    """The demand that a capacity staffs, the inverse of `staffed`; same shape."""
    demand: FloatArray = np.where(
        capacity > _needs()[0],
        np.exp(np.interp(capacity, _needs(), _LOG_DEMAND)),
        capacity / _needs()[0] * _LEAST_DEMAND,
    )
    return demand
