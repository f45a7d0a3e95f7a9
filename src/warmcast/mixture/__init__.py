"""Mixture: the capacity that costs least, as a weighted mean of many simple candidates. Pure numpy.

    past        measured demand as minutes, 5-minute steps and the past weeks in wall-clock time
    candidates  what each simple rule would provision: level, reaction, season, season at today's level, no capacity
    loss        what a capacity costs: idle units and spilled executions, by Erlang's B
    weights     how much each candidate is believed, by what it would have cost (online aggregation)
    ladder      the mixture at each of a ladder of shadow prices, and what each would have spilled and changed
    learning    weeks of history -> state; one more tick -> state
    cold        cold starts per spilled execution, by the model
    foretelling the mixture at ticks to come, if demand went as forecast
    wanting     state + objective -> the capacity wanted, and what drove it

The loss is convex in capacity, so a weighted mean of candidates never loses more than their mean loss; what no season
explains falls to the candidates that only react, by itself. Formulas, sources and worked numbers:
`docs/calculations.md`.
"""

from warmcast.mixture.foretelling import foretell
from warmcast.mixture.learning import advance, learn, relearn_season
from warmcast.mixture.state import MixtureState
from warmcast.mixture.wanting import Wanted, wanted

__all__ = ["MixtureState", "Wanted", "advance", "foretell", "learn", "relearn_season", "wanted"]
