"""Functions whose traffic is worth thinking about: too little, too much, at the wrong time, right, or none at all.

Prices of `warmcast.prices`, a month of 730 h, for 1 GB in us-east-1: a unit costs $10.95 idle, and earns $18.25 back
while it works (the difference of the duration rates), so that it pays for itself from 60% on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scanning.building import NODE, OUR_TRACKING, STACK, constant
from scanning.known import Case, Known
from scanning.minutes import LENGTH, traffic
from warmcast.scan.found import Owner, Verdict

if TYPE_CHECKING:
    from localaws import Traffic
    from scanning.known import Setting
    from scanning.minutes import FloatArray


def _bursts(at: Setting) -> FloatArray:
    """Four executions at a time for five minutes, now and then: one block of five minutes in six, by chance."""
    blocks = at.random.random(LENGTH // 5) < 1 / 6
    return np.repeat(np.where(blocks, 4.0, 0.0), 5)


def _on_the_hour(at: Setting) -> FloatArray:
    """Forty at a time in the first five minutes of each hour from 8 to 18 on weekdays; otherwise nothing."""
    return np.where(at.clock.office(8, 18) & (at.clock.of_day % 60 < 5), 40.0, 0.0)


def _business(at: Setting) -> FloatArray:
    """Forty at a time from 7 to 21 on weekdays, one in two otherwise."""
    return np.where(at.clock.office(7, 21), 40.0, 0.5)


_SINCE_YESTERDAY = np.where(np.arange(LENGTH) >= LENGTH - 1440, 60.0, 0.0)


def _ours(at: Setting) -> dict[str, Traffic]:
    """A scalable target that Warmcast registered, with its tag and its policy."""
    at.aws.create_function(at.function, runtime=NODE)
    at.aws.set_provisioned(at.function, "live", 30)
    policy, tags = {"warmcast-target-tracking": OUR_TRACKING}, {"warmcast": "registered"}
    at.aws.load_scaling(at.function, "live", 30, 60, tracking=policy, tags=tags)
    return {"live": traffic(np.full(LENGTH, 20.0), at.random, capacity=30)}


def _forbidden(at: Setting) -> dict[str, Traffic]:
    """An alias whose metrics CloudWatch refuses."""
    parts = constant(20, 30)(at)
    at.aws.afflict("Forbidden", {"Resource": f"{at.function}:live"})
    return parts


CASES = (
    Case(
        "tokens-in-ten-milliseconds",
        "us-east-1",
        constant(6, 15, memory_mb=128, duration_s=0.01),
        Known(
            Verdict.REQUEST_BOUND,
            Owner.UNKNOWN,
            (35.0, 75.0),
            (r"10 requests", r"spill"),
            "600 requests a second, of which 15 units serve 150: 60 and more units are needed, 45 x $1.37 = $62 "
            "more, of which 4.5 more executions at a time earn back $10",
            amount=(60, 72),
        ),
    ),
    Case(
        "quotes-in-java",
        "us-east-1",
        constant(_bursts, 10, memory_mb=512, runtime="java21"),
        Known(
            Verdict.SNAP_START,
            Owner.UNKNOWN,
            (-58.0, -40.0),
            (r"SnapStart", r"java21"),
            "10 units of 512 MB: $54.75, of which 7% at work earn back $6; some 10,000 cold starts a month "
            "avoided at half a cent each: worth it, but SnapStart makes them short for nothing with Java",
        ),
    ),
    Case(
        "billing-on-the-hour",
        "us-east-1",
        constant(_on_the_hour, 53, memory_mb=128),
        Known(
            Verdict.SCHEDULE,
            Owner.UNKNOWN,
            (-73.0, -40.0),
            (r"week|hour|schedule",),
            "53 units of 128 MB: $72.54; 60 environments start cold in 10 hours of 21.7 days, 13,000 a month at "
            "half a cent each; a table by the hour of the week needs 30% of it, one by five minutes a fortieth",
        ),
    ),
    Case(
        "shop-by-day",
        "us-east-1",
        constant(_business, 53),
        Known(
            Verdict.SCHEDULE,
            Owner.UNKNOWN,
            (-345.0, -280.0),
            (r"week|hour|schedule",),
            "53 x $10.95 = $580 all the time; only 42% of the week are busy, $242 and a few units at night; by "
            "day it works 75% of the time and pays for itself, so that dropping it would save less than the table does",
        ),
    ),
    Case(
        "basket-twice-too-high",
        "us-east-1",
        constant(20, 60, tags={STACK: "shop"}),
        Known(
            Verdict.TOO_HIGH,
            Owner.STACK,
            (-345.0, -300.0),
            (r"\b60\b", r"1 ?%"),
            "Erlang-B(30, 20) = 0.8%: 30 units keep the promise, at 66% they pay for themselves; 30 x $10.95 = "
            "$328 less",
            amount=(29, 34),
        ),
    ),
    Case(
        "checkout-too-low",
        "us-east-1",
        constant(40, 30, tags={STACK: "shop"}),
        Known(
            Verdict.TOO_LOW,
            Owner.STACK,
            (35.0, 95.0),
            (r"spill", r"\b30 ?%"),
            "Erlang-B(30, 40) = 30% spill; 53 units keep 1%: 23 x $10.95 = $252 more, of which 11.6 more executions at "
            "a time earn back $212",
            amount=(50, 58),
        ),
    ),
    Case(
        "stock-as-it-should-be",
        "us-east-1",
        constant(20, 30, tags={STACK: "warehouse"}),
        Known(
            Verdict.KEEP,
            Owner.STACK,
            (0.0, 0.0),
            (r"spill|promise|objective",),
            "Erlang-B(30, 20) = 0.8% spill; 66% of it work, which earns $361 back of $328",
        ),
    ),
    Case(
        "prices-by-warmcast",
        "us-east-1",
        _ours,
        Known(
            Verdict.KEEP,
            Owner.WARMCAST,
            (0.0, 0.0),
            (r"spill|promise|objective",),
            "the same traffic and capacity, under a scalable target that carries Warmcast's tag",
        ),
    ),
    Case(
        "feed-that-deserves-it",
        "us-east-1",
        constant(60, None),
        Known(
            Verdict.BUY,
            Owner.NOBODY,
            (-365.0, -200.0),
            (r"saves money|less than on demand|break-even",),
            "75 units keep 1% and work 79% of the time: 75 x $10.95 = $821 earn back 59.4 x $18.25 = $1,084",
            amount=(58, 82),
        ),
    ),
    Case(
        "webhook-now-and-then",
        "us-east-1",
        constant(0.1, None, duration_s=0.2),
        Known(
            Verdict.NO,
            Owner.NOBODY,
            (0.0, 0.0),
            (r"cold start",),
            "0.1 executions at a time: a unit would work 10% of the time and avoid some cold starts a day at "
            "cents each",
        ),
    ),
    Case(
        "contact-form",
        "us-east-1",
        constant(0.2 * 15 / 86_400, 2, duration_s=0.2),
        Known(
            Verdict.DROP,
            Owner.UNKNOWN,
            (-22.0, -21.5),
            (r"cold start|invocations",),
            "15 calls a day: 2 x $10.95 = $21.90 for at most 460 cold starts a month, nearly 5 cents each",
        ),
    ),
    Case(
        "pilot-since-yesterday",
        "us-east-1",
        constant(lambda _: _SINCE_YESTERDAY, None),
        Known(
            Verdict.NO,
            Owner.NOBODY,
            (0.0, 0.0),
            (r"young|(since|only|last) .*da(y|ys)|24 ?h",),
            "one day says nothing of a week",
        ),
    ),
    Case(
        "audit-that-may-not-be-read",
        "us-east-1",
        _forbidden,
        Known(
            Verdict.UNKNOWN,
            Owner.UNKNOWN,
            (0.0, 0.0),
            (r"Forbidden|not known|not answer",),
            "CloudWatch refuses its series: nothing can be said",
        ),
    ),
)
