"""Functions whose provisioned concurrency is out of order or wasted: mend it, move it or drop it.

Prices of `warmcast.prices`, a month of 730 h, for 1 GB in us-east-1: a unit costs $10.95 idle, and earns $18.25 back
while it works (the difference of the duration rates), so that it pays for itself from 60% on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from scanning.building import LONG_AGO, NODE, TRACKING, constant
from scanning.known import Case, Known
from scanning.minutes import LENGTH, steady, traffic
from warmcast.scan.found import Owner, Verdict

if TYPE_CHECKING:
    from localaws import Traffic
    from scanning.known import Setting


def _stuck(at: Setting) -> dict[str, Traffic]:
    """A deploy of three days ago whose environments failed to initialise: all traffic is held on version 1."""
    at.aws.create_function(at.function, runtime=NODE)
    at.aws.publish_version(at.function, init_fails=True)
    at.aws.create_alias(at.function, "live", version="2", weights={"1": 1.0})
    failed = "FUNCTION_ERROR_INIT_FAILURE"
    at.aws.set_provisioned(at.function, "live", 10, at=at.now - timedelta(days=3), failed=failed)
    live = traffic(steady(4), at.random, capacity=10)
    where = {"FunctionName": at.function, "Resource": f"{at.function}:live", "ExecutedVersion": "1"}
    at.aws.load_metrics(live.series(where, at.start))
    return {"live": live}


def _unreachable(at: Setting) -> dict[str, Traffic]:
    """Callers name the function without a qualifier."""
    at.aws.create_function(at.function, runtime=NODE)
    at.aws.set_provisioned(at.function, "live", 10, at=at.now - LONG_AGO)
    return {"": traffic(steady(6), at.random)}


def _orphan(at: Setting) -> dict[str, Traffic]:
    """Provisioned concurrency on version 3, left behind when the alias went on to 5."""
    at.aws.create_function(at.function, runtime=NODE, alias="")
    for _ in range(4):
        at.aws.publish_version(at.function)
    at.aws.create_alias(at.function, "live", version="5")
    at.aws.set_provisioned(at.function, "3", 8, at=at.now - LONG_AGO)
    return {"live": traffic(steady(0.5), at.random)}


def _never_scaled_in(at: Setting) -> dict[str, Traffic]:
    """A load test on the first day took it to 60; since then nobody called, and the low alarm has no data."""
    began, raised, ended = 600, 610, 720
    at.aws.create_function(at.function, runtime=NODE)
    raised_at = at.start + timedelta(minutes=raised)
    at.aws.set_provisioned(at.function, "live", 60, at=raised_at)
    at.aws.load_scaling(at.function, "live", 1, 100, tracking={"tracking": TRACKING})
    at.aws.load_activity(at.function, "live", raised_at, 60)
    minute = np.arange(LENGTH)
    demand = np.where((minute >= began) & (minute < ended), 40.0, 0.0)
    return {"live": traffic(demand, at.random, capacity=np.where(minute < raised, 1.0, 60.0))}


CASES = (
    Case(
        "payments-after-a-failed-deploy",
        "us-east-1",
        _stuck,
        Known(
            Verdict.STUCK,
            Owner.UNKNOWN,
            (0.0, 0.0),
            (r"weight", r"update-alias", r"routing-config"),
            "all traffic is held on version 1 by a weight of 1.0, and the config FAILED: until the weights are cleared "
            "nothing of it can be changed",
        ),
    ),
    Case(
        "search-called-unqualified",
        "us-east-1",
        _unreachable,
        Known(
            Verdict.UNREACHABLE,
            Owner.UNKNOWN,
            (-115.0, -105.0),
            (r"\$LATEST|another version|unqualified|not .*through", r"invocations"),
            "10 units of 1 GB: $109.50 a month, and nobody calls the alias, while the function is called",
        ),
    ),
    Case(
        "reports-left-on-an-old-version",
        "us-east-1",
        _orphan,
        Known(
            Verdict.ORPHAN,
            Owner.UNKNOWN,
            (-92.0, -84.0),
            (r"version 3|old version", r"version 5|\b5\b"),
            "8 units of 1 GB stand on version 3, which no alias names: $87.60 a month",
        ),
        qualifier="3",
    ),
    Case(
        "campaign-after-a-load-test",
        "us-east-1",
        _never_scaled_in,
        Known(
            Verdict.NEVER_SCALED_IN,
            Owner.AUTO_SCALING,
            (-660.0, -560.0),
            (r"alarm|INSUFFICIENT_DATA|no data", r"\b60\b"),
            "60 units stand idle for 13 of 14 days at a minimum of 1: 59 x $10.95 = $646 a month, times 13.5/14 where "
            "the mean capacity of the time is counted",
            amount=(0, 2),
        ),
    ),
    Case(
        "catalogue-in-sao-paulo",
        "sa-east-1",
        constant(20, 30),
        Known(
            Verdict.NEVER_HERE,
            Owner.UNKNOWN,
            (-475.0, -445.0),
            (r"break-even|above 100 ?%|56\d ?%",),
            "30 x $17.44 = $523 a month; the 19.8 units at work earn back 19.8 x $3.10 = $61: $462 for few cold starts",
        ),
    ),
    Case(
        "catalogue-in-frankfurt",
        "eu-central-1",
        constant(0.2, 10),
        Known(
            Verdict.NEVER_HERE,
            Owner.UNKNOWN,
            (-132.0, -126.0),
            (r"break-even|above 100 ?%|10[01] ?%",),
            "10 x $13.18 = $132 a month, of which 0.2 at work earn back $2.61; a unit that works all the time would "
            "not pay for itself here, and these hardly do",
        ),
    ),
    Case(
        "newsletter-hardly-used",
        "us-east-1",
        constant(0.2, 20),
        Known(
            Verdict.DROP,
            Owner.UNKNOWN,
            (-219.0, -212.0),
            (r"cold start", r"\$"),
            "20 x $10.95 = $219, of which 0.2 at work earn back $3.65; a single unit would cost $7.90 more than on "
            "demand, for the one environment that is hardly ever cold",
        ),
    ),
)
