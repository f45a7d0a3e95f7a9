"""Erlang's B and Hayward's approximation as textbooks write them: what the fast ones are held to."""

from __future__ import annotations


def naive_erlang_b(capacity: int, demand: float) -> float:
    """The textbook recursion B(c) = a B(c-1) / (c + a B(c-1)), B(0) = 1."""
    blocked = 1.0
    for units in range(1, capacity + 1):
        blocked = demand * blocked / (units + demand * blocked)
    return blocked if demand > 0 else 0.0


def naive_hayward(capacity: int, demand: float, peakedness: float) -> float:
    """B(c/z, a/z), on a straight line between the whole capacities around c/z."""
    place, offered = capacity / peakedness, demand / peakedness
    low = int(place)
    below, above = naive_erlang_b(low, offered), naive_erlang_b(low + 1, offered)
    return below + (place - low) * (above - below)
