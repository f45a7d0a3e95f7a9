"""One scan of the account in a process of its own, and what the server saw of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.scan.account import REGIONS, prepare
from localaws import LocalAws, RateLimit
from warmcast.model.asked import MOST_DATAPOINTS, MOST_QUERIES
from warmcast.scan.record import scan_from_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.scan.account import Size
    from localaws.wire import Json

ROOT: Final = Path(__file__).parents[3]
WINDOW_S: Final = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls of Lambda's control plane in one Region, GetFunction left out: altogether, and a second at most."""

    calls: int
    most_per_s: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan took.

    Args:
        rows: findings. wall_s: from the command's start to its end. peak_mb: resident memory.
        rates: by Region.
        fill: of the calls of GetMetricData that could have been full: queries or datapoints over the most allowed.
        throttled: requests that the server refused for their rate. sent: calls by `service:Operation`.
    """

    rows: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    rates: Mapping[str, Rate]
    fill: float
    metric_calls: int
    metrics: int
    throttled: int
    sent: Mapping[str, int]


def scan(size: Size, *, regions: Sequence[str] = REGIONS) -> Scanned:
    """Prepare the account on a local AWS with the limits on, and scan it."""
    with LocalAws(rate_limit=RateLimit.REAL) as aws:
        prepare(aws, size, now=aws.now(), regions=regions)
        aws.clear_calls()
        given = [part for region in regions for part in ("--region", region)]
        command = [sys.executable, "-m", "bench.scan.child", "scan", "--format", "json", *given]
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own module, with this interpreter
            command, env=_environment(aws), capture_output=True, text=True, check=False, timeout=1800
        )
        wall_s = time.monotonic() - began
        if done.returncode not in {0, 1}:
            raise RuntimeError(done.stderr)
        journal, sent = aws.journal(), aws.calls()
    record = scan_from_json(done.stdout, source="standard output")
    if record.denials:
        raise RuntimeError(str(record.denials))
    metric_calls = [call for call in journal if _operation(call) == "GetMetricData"]
    return Scanned(
        rows=len(record.rows),
        wall_s=wall_s,
        cpu_s=float(done.stderr.split()[-1]),
        peak_mb=float(done.stderr.split()[-2]),
        rates={region: _rate(journal, region) for region in regions},
        fill=_fill(metric_calls),
        metric_calls=len(metric_calls),
        metrics=record.metrics_requested,
        throttled=sum(sent.values()) - len({_key(call) for call in journal}),
        sent=sent,
    )


def _environment(aws: LocalAws) -> dict[str, str]:
    """The endpoint and its credentials; nothing of the machine's own AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, **aws.environment(), "PYTHONPATH": path}


def _operation(call: Json) -> str:
    operation: str = call["operation"]
    return operation


def _key(call: Json) -> str:
    """What a call asked, and where; asked again, it was refused before."""
    return json.dumps([call["name"], call["place"], call["params"]], sort_keys=True)


def _rate(journal: Sequence[Json], region: str) -> Rate:
    """Calls a second over the busiest ten seconds."""
    seconds: Counter[int] = Counter()
    for call in journal:
        if call["service"] == "lambda" and call["place"]["region"] == region and _operation(call) != "GetFunction":
            seconds[int(datetime.fromisoformat(call["at"]).timestamp())] += 1
    windows = (sum(seconds[first + n] for n in range(WINDOW_S)) / WINDOW_S for first in seconds)
    return Rate(sum(seconds.values()), max(windows, default=0.0))


def _fill(calls: Sequence[Json]) -> float:
    """Mean over all calls of the fuller of the two: queries of 500, datapoints of 100,800."""
    return sum(_filled(call["params"]) for call in calls) / len(calls) if calls else 0.0


def _filled(params: Json) -> float:
    queries = params["MetricDataQueries"]
    length_s = _epoch(params["EndTime"]) - _epoch(params["StartTime"])
    datapoints: float = sum(length_s / query["MetricStat"]["Period"] for query in queries)
    return max(len(queries) / MOST_QUERIES, datapoints / MOST_DATAPOINTS)


def _epoch(given: float | str) -> float:
    return given if isinstance(given, (int, float)) else datetime.fromisoformat(given).timestamp()
