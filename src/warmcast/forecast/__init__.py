"""Forecast: what demand will be, as quantiles, from measured history alone. Pure numpy.

    steps     history as 5-minute steps of arrival rate and demand, gaps explicit
    season    what recurs by time of day and of week
    learning  weeks of history -> tables: what recurs, by week and by the last days, and all that its members learn
    members   one member of the forecast: how its surprises fade, how wrong it was, how much each member counts
    recent    the last day, set against the tables
    fall      a sudden fall of traffic, and when it began
    burst     minutes around their step's mean, executions around the minute's mean
    issuing   recent day + tables -> quantiles per step of the horizon

Nothing here reads a clock, the environment or a random source.
"""

from warmcast.forecast.issuing import forecast
from warmcast.forecast.learning import learn

__all__ = ["forecast", "learn"]
