"""One member of the forecast, learned: how its surprises fade, how wrong it was, and how much each member counts.

Pure numpy. A member's profile of the past was made, at each step, from days before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from warmcast.forecast.season import BINS, smoothed
from warmcast.forecast.tables import LEADS, LEVELS, MEMBERS, UNCERTAIN, Ground, Tables, widening, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import FloatArray, IntArray

_HOUR_STEPS = 12
_DOUBT = 3.0  # independent errors, or days, that weigh as much as what stands in for them
_MANY = 1500  # steps from which on every fifth says enough
_ROUNDS = 3  # of weighing, after the first solution
_SPREAD_LEAD = 4  # index of the lead (35 minutes) whose errors say when of the day forecasts are worse
_STRIDE = 5  # steps between the origins that are judged: in turn every minute of the hour
_BLOCK = 15  # such origins, six hours and a quarter, that are judged together
_HALF_LIFE_DAYS = 4.0
_SHARPNESS = 12.0  # a member with a tenth less loss counts 1.1^12 = 3.1 times as much
_LEAST_SHARE_OF_LOSS = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """History as one member sees it, on its own compressed scale, shapes (N,).

    Args:
        profile: what it took each step to be; NaN where it could not tell.
        of_day: 5 minutes of the local day of each step.
    """

    unit: float
    values: FloatArray
    profile: FloatArray
    of_day: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What a member learned; fields as in `Tables`, without the axis of the members.

    Args:
        errors: by lead and the step they were made for, shape (leads, N); NaN where there is none.
    """

    past: Past
    level: float
    follow: FloatArray
    spread: FloatArray
    offsets: FloatArray
    usual: FloatArray
    errors: FloatArray


def teach(past: Past, prior: Tables, follow: FloatArray) -> Taught:
    """Learn from the past; the prior and its way to follow, (leads, windows + 1), stand in where data is thin."""
    known = past.profile[~np.isnan(past.profile)]
    level = float(known.mean()) if known.size else 0.0
    surprise = past.values - past.profile
    seen, beyond = windows(surprise), np.nan_to_num(past.profile - level)
    errors = np.full((len(LEADS), len(surprise)), np.nan)
    followed = follow.copy()
    for nth, lead in enumerate(LEADS[len(surprise) > LEADS]):
        before = np.vstack([seen[:, :-lead], beyond[lead:]])
        followed[nth] = _follow(before, surprise[lead:], int(lead), follow[nth])
        errors[nth, lead:] = surprise[lead:] - followed[nth] @ before
    seasonal = prior.basis != "level"
    spread = _spread(errors[_SPREAD_LEAD], past.of_day) if seasonal else prior.spread[0]
    recent = seen[1][~np.isnan(surprise)]
    return Taught(
        past=past,
        level=level,
        follow=followed,
        spread=spread,
        offsets=_offsets(errors / spread[past.of_day], prior),
        usual=np.quantile(recent, [0.005, 0.995]) if seasonal and recent.size else prior.usual[0],
        errors=errors,
    )


def _follow(before: FloatArray, after: FloatArray, lead: int, prior: FloatArray) -> FloatArray:
    """How much of each window's surprise is left at this lead, drawn to the prior where data is thin.

    Least absolute deviations, by weighing each error with its inverse: the median is what is looked for, and a few
    large errors say less of it than many small ones.
    """
    known = ~np.isnan(after)
    count = int(known.sum())
    if not count:
        return prior
    every = _STRIDE if count > _MANY else 1
    before, after = before[:, known][:, ::every], after[known][::every]
    draws = np.full(len(before), _DOUBT * max(lead, _HOUR_STEPS) / count)
    draws[-1] = _DOUBT * BINS / count  # a profile proves right or wrong once a day
    solved, weight = prior.copy(), np.ones(len(after))
    for _ in range(1 + _ROUNDS):
        weighted = before * weight
        products = weighted @ before.T
        sizes = np.diag(products).copy()
        sizes[:-1] = sizes[:-1].mean()
        draw = np.diag(draws * (sizes + 1e-9))
        solved[:] = np.linalg.solve(products + draw, weighted @ after + draw @ prior)
        off = np.abs(after - solved @ before)
        typical = float(np.median(off)) + 1e-9
        weight = typical / np.maximum(off, 0.5 * typical)
    return solved


def _offsets(errors: FloatArray, prior: Tables) -> FloatArray:
    """Quantiles of the errors per lead, shape (leads, levels).

    Few independent errors are blended with those of the next shorter lead (before the first: what stands in), which a
    flat forecast's grow with the lead as they do for traffic in general.
    """
    rows = np.empty((len(LEADS), len(LEVELS)))
    before = prior.offsets[0, 0]
    growth = np.ones(len(LEADS))
    if prior.basis == "level":
        growth[1:] = UNCERTAIN[1:] / UNCERTAIN[:-1]
    factor = widening(float(prior.known_days[0]))
    for nth, each in enumerate(errors):
        known = each[~np.isnan(each)]
        share = known.size / (known.size + _DOUBT * max(int(LEADS[nth]), _HOUR_STEPS))
        measured = np.quantile(known, LEVELS) * factor if known.size else 0.0
        before = rows[nth] = share * measured + (1 - share) * before * growth[nth]
    return rows


def _spread(errors: FloatArray, of_day: IntArray) -> FloatArray:
    """Relative size of errors per 5 minutes of the day, mean square 1; smooth over two hours."""
    known = ~np.isnan(errors)
    if not known.any():
        return np.ones(BINS)
    size = np.abs(errors[known])
    size = np.minimum(size, np.quantile(size, 0.99))
    count = np.bincount(of_day[known], minlength=BINS)
    squares = np.bincount(of_day[known], size**2, BINS)
    overall = max(float(squares.sum() / count.sum()), 1e-12)
    local = (squares + _DOUBT * overall) / (count + _DOUBT)
    around = smoothed(smoothed(np.tile(local, 3)))[BINS : 2 * BINS]
    spread: FloatArray = np.sqrt(around / overall)
    return np.clip(spread, 0.3, 3.0)


# --- how much each counts --------------------------------------------------------------------------------------------


def shares(members: Sequence[Taught], rate: FloatArray) -> FloatArray:
    """How much each member counts per lead and level, sum 1, shape (M, leads, levels).

    The less pinball loss it would have had, the more, by the logarithm of the loss of every six hours: a day on which
    all were wrong decides nothing. Recent hours weigh more. What the last three days say counts for a day ahead only.
    """
    judged = np.arange(len(rate) - 1, 0, -_STRIDE)[::-1]
    judged = judged[len(judged) % _BLOCK :]
    share = np.zeros((len(members), len(LEADS), len(LEVELS)))
    share[0] = 1.0
    if len(members) == 1 or not len(judged):
        return share
    losses = np.stack([_losses(each, rate, judged) for each in members])
    blocks = losses.reshape(*losses.shape[:-1], -1, _BLOCK)
    known = ~np.isnan(blocks).any(axis=0)
    count = known.sum(axis=-1)
    mean = np.where(known, blocks, 0.0).sum(axis=-1) / np.maximum(count, 1)
    age_days = np.arange(mean.shape[-1])[::-1] * _BLOCK * _STRIDE / BINS
    weight = (count > 0) * 0.5 ** (age_days / _HALF_LIFE_DAYS)
    least = _LEAST_SHARE_OF_LOSS * mean.mean(axis=(0, -1), keepdims=True) + 1e-12
    score = (np.log(mean + least) * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-9)
    counts = np.exp(-_SHARPNESS * (score - score.min(axis=0)))
    for member, counted in zip(MEMBERS, counts, strict=False):
        if member.ground is Ground.DAYS:
            counted[LEADS >= BINS] = 0.0
    some = (weight > 0).any(axis=-1)
    return np.where(some, counts / counts.sum(axis=0), share)


def _losses(member: Taught, rate: FloatArray, judged: IntArray) -> FloatArray:
    """Pinball loss, in rates, of what the member would have said of the steps judged, shape (leads, levels, judged)."""
    past = member.past
    centre = past.values[judged] - member.errors[:, judged]
    width = member.spread[past.of_day[judged]]
    off = rate[judged] - past.unit * np.expm1(np.clip(centre[:, None] + member.offsets[:, :, None] * width, 0.0, 50.0))
    loss: FloatArray = np.maximum(LEVELS[:, None] * off, (LEVELS[:, None] - 1) * off)
    return loss
