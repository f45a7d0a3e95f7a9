"""The control interface's commands for CloudWatch: load what Lambda reports, revise it, spoil it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from localaws.control_base import Commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import numpy.typing as npt

    from localaws.wire import Json

    FloatArray = npt.NDArray[np.float64]

NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series to load, a value a minute from `start`, NaN (or a count of 0) for no datapoint.

    Without `count`, a minute with data is one sample; without `minimum`/`maximum`, they are the mean; without `sum`,
    it is maximum x count.
    """

    name: str
    dimensions: Mapping[str, str]
    start: datetime
    sum: FloatArray | None = None
    count: FloatArray | None = None
    minimum: FloatArray | None = None
    maximum: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """What Lambda reports of something that is invoked, an element a minute; arrays of shape (N,).

    A minute without invocations (and throttles) has no datapoint, as on AWS; the metrics of provisioned concurrency
    have one in minutes with invocations only.

    Args:
        invocations: Sum(Invocations).
        duration_ms: Sum(Duration) of the minute, in ms.
        concurrency: Maximum(ConcurrentExecutions).
        throttles: Sum(Throttles); None: 0 wherever it was invoked.
        spilled: Sum(ProvisionedConcurrencySpilloverInvocations); None: no datapoints, or 0 with a capacity.
        capacity: provisioned concurrency that stood there: gives what of it was in use at most, its share, and the
            invocations that did not spill; None, and minutes of 0: no datapoints.
        in_use: how much of the capacity was in use at most; None: the concurrency up to it.
    """

    invocations: FloatArray
    duration_ms: FloatArray
    concurrency: FloatArray
    throttles: FloatArray | None = None
    spilled: FloatArray | None = None
    capacity: FloatArray | None = None
    in_use: FloatArray | None = None
    _built: list[tuple[str, Mapping[str, FloatArray]]] = field(default_factory=list, init=False)

    def series(self, dimensions: Mapping[str, str], start: datetime) -> list[Series]:
        """The series under these dimensions; every call shares the arrays, which are built once."""
        if not self._built:
            self._built.extend(self._parts())
        return [Series(name, dimensions, start, **parts) for name, parts in self._built]

    def _parts(self) -> Iterator[tuple[str, Mapping[str, FloatArray]]]:
        refused = np.zeros_like(self.invocations) if self.throttles is None else self.throttles
        count = np.where(self.invocations > 0, self.invocations, np.nan)
        yield "Invocations", {"sum": count, "count": count}
        yield "Duration", {"sum": self.duration_ms, "count": count}
        yield "ConcurrentExecutions", {"maximum": self._while(count, self.concurrency), "count": count}
        yield "Throttles", {"sum": np.where(self.invocations + refused > 0, refused, np.nan)}
        if self.capacity is not None:
            yield from self._of_capacity(np.where(self.capacity > 0, count, np.nan), self.capacity)
        elif self.spilled is not None:
            yield "ProvisionedConcurrencySpilloverInvocations", {"sum": self._while(count, self.spilled)}

    def _of_capacity(self, count: FloatArray, capacity: FloatArray) -> Iterator[tuple[str, Mapping[str, FloatArray]]]:
        spilled = np.zeros_like(count) if self.spilled is None else self.spilled
        used = np.minimum(self.concurrency if self.in_use is None else self.in_use, capacity)
        share = np.divide(used, capacity, out=np.zeros_like(used), where=capacity > 0)
        yield "ProvisionedConcurrencySpilloverInvocations", {"sum": self._while(count, spilled)}
        yield "ProvisionedConcurrencyInvocations", {"sum": count - spilled}
        yield "ProvisionedConcurrentExecutions", {"maximum": self._while(count, used), "count": count}
        yield "ProvisionedConcurrencyUtilization", {"maximum": self._while(count, share), "count": count}

    @staticmethod
    def _while(count: FloatArray, values: FloatArray) -> FloatArray:
        return np.where(np.isnan(count), np.nan, values)


class MetricCommands(Commands):
    """What CloudWatch knows."""

    def load_metrics(self, series: Sequence[Series], *, namespace: str = NAMESPACE) -> None:
        """Load series in bulk, over whatever was in those minutes."""
        names: dict[int, str] = {}
        arrays: dict[str, FloatArray] = {}
        entries = [_entry(one, names, arrays) for one in series]
        self._send("load-metrics", self._here({"namespace": namespace, "series": entries}), arrays)

    def load_minutes(
        self,
        function: str,
        qualifier: str,
        start: datetime,
        *,
        invocations: npt.ArrayLike,
        duration_ms: npt.ArrayLike,
        concurrency: npt.ArrayLike,
        throttles: npt.ArrayLike | None = None,
        spilled: npt.ArrayLike | None = None,
        capacity: npt.ArrayLike | None = None,
        executed_version: str = "",
    ) -> None:
        """Load what Lambda reports of an alias or version, an element a minute from `start`: see `Traffic`.

        An empty qualifier means the whole function (dimension FunctionName alone), an empty function the Region (no
        dimension); with `executed_version`, what the alias ran on that version.
        """
        optional = {"throttles": throttles, "spilled": spilled, "capacity": capacity}
        given = {name: np.asarray(part, dtype=np.float64) for name, part in optional.items() if part is not None}
        required = (np.asarray(part, dtype=np.float64) for part in (invocations, duration_ms, concurrency))
        where = _dimensions(function, qualifier, executed_version)
        self.load_metrics(Traffic(*required, **given).series(where, start))

    def load_traffic(self, traffic: Traffic, functions: Sequence[str], qualifier: str, start: datetime) -> None:
        """Load the same minutes for many functions: of an alias or version, and of the whole function."""
        self.load_metrics(
            [
                series
                for function in functions
                for resource in ("", qualifier)
                for series in traffic.series(_dimensions(function, resource), start)
            ]
        )

    def revise_minute(
        self,
        name: str,
        dimensions: Mapping[str, str],
        minute: datetime,
        *,
        total: float,
        count: float,
        due: datetime,
        minimum: float | None = None,
        maximum: float | None = None,
        namespace: str = NAMESPACE,
    ) -> None:
        """Let a minute read differently from `due` on, as CloudWatch revises what it has shown."""
        mean = total / count
        sample = {
            "sum": total,
            "count": count,
            "minimum": mean if minimum is None else minimum,
            "maximum": mean if maximum is None else maximum,
        }
        payload = {"namespace": namespace, "name": name, "dimensions": dict(dimensions), "sample": sample}
        self._send("revise-minute", self._here({**payload, "minute": minute.isoformat(), "due": due.isoformat()}))

    def afflict(self, status: str, dimensions: Mapping[str, str], *, name: str | None = None) -> None:
        """Let GetMetricData give series with these dimensions a status: Forbidden, InternalError or PartialData."""
        self._send("afflict", self._here({"status": status, "dimensions": dict(dimensions), "name": name}))


def _entry(series: Series, names: dict[int, str], arrays: dict[str, FloatArray]) -> Json:
    """Describe a series, its arrays put aside under names; one array in several places is sent once."""
    named: Json = {}
    for part in ("sum", "count", "minimum", "maximum"):
        array = getattr(series, part)
        if array is not None:
            named[part] = names.setdefault(id(array), f"a{len(names)}")
            arrays[named[part]] = array
    return {"name": series.name, "dimensions": dict(series.dimensions), "start": int(series.start.timestamp()), **named}


def _dimensions(function: str, qualifier: str, executed_version: str = "") -> dict[str, str]:
    resource = f"{function}:{qualifier}" if qualifier else ""
    given = {"FunctionName": function, "Resource": resource, "ExecutedVersion": executed_version}
    return {name: value for name, value in given.items() if value}
