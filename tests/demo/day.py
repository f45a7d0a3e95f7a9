"""Plays a day: ticks of the real handler every 5 minutes against the local AWS, and between them the minutes' traffic.

In process: the handler's `respond` with a clock that this module drives, real botocore over HTTP to the local AWS.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from demo.account import TABLE, Account, Held, Served, only_local_aws
from demo.played import PlayedDay
from demo.world import draw_spilled, first_need, spillover, static_peak
from localaws import LocalAws
from warmcast.emit import Emitter
from warmcast.fleet import ColdStartCost, ColdStarts, Savings, Spillover
from warmcast.handler import open_workshop, respond
from warmcast.model import Actuator, Mode, Reason
from warmcast.staffing import unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from demo.targets import Part
    from demo.traffic import Load, Traffic
    from warmcast.fleet import Objective, Policy
    from warmcast.report import JsonValue
    from warmcast.staffing import Unit
    from warmcast.workshop import Workshop

TICK_MINUTES = 5
SEED = 20260302


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """One target with its traffic."""

    part: Part
    traffic: Traffic
    load: Load

    def unit(self, region: str) -> Unit:
        """One unit of its capacity."""
        return unit_of(region=region, architecture="x86_64", memory_mb=self.part.memory_mb)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played.

    Args:
        fleet: the folder of the policies.
        day: the midnight (UTC) that the day begins with.
        minutes: how much of it is played, a multiple of 5.
        log: the file for what the function would log.
    """

    fleet: Path
    day: datetime
    minutes: int
    log: Path


@dataclass(frozen=True, slots=True)
class Played:
    """What became of it.

    Args:
        days: per target.
        failures: what ticks reported as failed, in words, each once.
        calls: how often each AWS operation was called by the ticks.
    """

    days: tuple[PlayedDay, ...]
    failures: tuple[str, ...]
    calls: Mapping[str, int]


class TickClock:
    """The local AWS's clock, as the handler reads it; waiting for a turn costs no time."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._slept = 0.0

    def now(self) -> datetime:
        """The simulated instant."""
        return self._aws.now()

    def monotonic(self) -> float:
        """Simulated seconds, and those slept."""
        return self.now().timestamp() + self._slept

    def sleep(self, seconds: float) -> None:
        """Pretend to have waited."""
        self._slept += seconds


@dataclass(slots=True)
class TickContext:
    """Lambda's context, as far as the handler uses it."""

    aws_request_id: str
    log_stream_name: str = "demo"

    def get_remaining_time_in_millis(self) -> int:
        """All the time that the template gives."""
        return 240_000


@dataclass(slots=True)
class _Notes:
    """One target's day as it goes by, a value a minute."""

    held: list[Held] = field(default_factory=list)
    spilled: list[float] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)
    floor: list[int] = field(default_factory=list)


def play(players: Sequence[Player], plan: Plan, *, on_minute: Callable[[datetime, int], None]) -> Played:
    """Play the plan; `on_minute` is told each minute's instant and the capacity requested by all targets then."""
    with LocalAws(plan.day) as aws, only_local_aws(aws), plan.log.open("w", encoding="utf-8") as log:
        account = Account(aws)
        for player in players:
            _enter(account, player, aws.region)
        workshop = _open(aws, plan)
        stage = _Stage(aws, account, players, workshop, TickClock(aws))
        with redirect_stdout(log):
            # A logger is kept by its service's name, and with it the stream that it was made with.
            emitter = Emitter(service=f"demo-{uuid4().hex[:8]}")
            for minute in range(plan.minutes):
                stage.play(plan.day + timedelta(minutes=minute), minute, emitter)
                on_minute(aws.now(), stage.requested)
        return Played(
            days=tuple(stage.played(player, plan) for player in players),
            failures=tuple(stage.failures),
            calls=aws.calls(),
        )


def _enter(account: Account, player: Player, region: str) -> None:
    past, unit = player.traffic.past, player.unit(region)
    peak, first = static_peak(player.load, past, unit=unit), first_need(player.load, past, unit=unit)
    start = datetime.fromtimestamp(player.traffic.start, UTC)
    capacity = peak if player.part.by_hand else first
    account.add(player.part, player.load, start=start, past=past, capacity=capacity)


def _open(aws: LocalAws, plan: Plan) -> Workshop:
    environment = {
        "AWS_REGION": aws.region,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "WARMCAST_ACCOUNT": aws.account,
        "WARMCAST_TABLE": TABLE,
        "WARMCAST_FLEET": plan.fleet.name,
        "WARMCAST_RATE_MINUTES": str(TICK_MINUTES),
    }
    return open_workshop(environment, clock=TickClock(aws), root=plan.fleet.parent)


class _Stage:
    """The day under way."""

    def __init__(
        self, aws: LocalAws, account: Account, players: Sequence[Player], workshop: Workshop, clock: TickClock
    ) -> None:
        self._aws = aws
        self._account = account
        self._players = players
        self._workshop = workshop
        self._clock = clock
        self._rng = np.random.default_rng(SEED)
        self._rows: dict[str, dict[str, JsonValue]] = {}
        self._notes = {player.part.function: _Notes() for player in players}
        self.failures: dict[str, None] = {}

    @property
    def requested(self) -> int:
        """Capacity requested by all targets in the newest minute."""
        return sum(notes.held[-1].requested for notes in self._notes.values())

    def play(self, at: datetime, minute: int, emitter: Emitter) -> None:
        """One minute: a tick if one is due, then the minute's calls, then what AWS does by itself."""
        self._aws.set_now(at)
        if minute % TICK_MINUTES == 0:
            self._tick(minute, emitter)
        held = self._account.held()
        for player in self._players:
            self._serve(player, at, minute, held[player.part.function])
        peaks = {p.part.function: float(np.nan_to_num(p.load.peak[p.traffic.past + minute])) for p in self._players}
        self._account.scale(peaks, held)

    def _tick(self, minute: int, emitter: Emitter) -> None:
        context = TickContext(aws_request_id=f"demo-{minute}")
        summary = respond({}, context, workshop=lambda: self._workshop, clock=self._clock, emitter=emitter)
        rows = summary["rows"]
        assert isinstance(rows, list)
        for row in rows:
            assert isinstance(row, dict)
            self._rows[str(row["target"])] = row
            if row["outcome"] in {"failed", "refused"} or row["fault"]:
                self.failures.setdefault(f"{row['target']}: {row['outcome']}: {row['fault'] or row['detail']}")
        for wrong in (summary["faults"], summary["findings"]):
            assert isinstance(wrong, list)
            self.failures.update(dict.fromkeys(map(str, wrong)))

    def _serve(self, player: Player, at: datetime, minute: int, held: Held) -> None:
        load, now = player.load, player.traffic.past + minute
        arrivals = float(load.arrivals[now])
        spilled = draw_spilled(held.ready, float(load.demand[now]), arrivals, self._rng)
        served = Served(arrivals, float(load.duration_s[now]), float(load.peak[now]), spilled, held.requested > 0)
        self._account.report(player.part, at, served)
        row = self._rows[player.part.name]
        notes = self._notes[player.part.function]
        notes.held.append(held)
        notes.spilled.append(spilled)
        notes.wanted.append(_wanted(row))
        notes.floor.append(_whole(row["floor"]))

    def played(self, player: Player, plan: Plan) -> PlayedDay:
        """What became of one target."""
        notes = self._notes[player.part.function]
        policy = next(p for t, p in self._workshop.fleet.policies.items() if str(t) == player.part.name)
        day = slice(player.traffic.past, player.traffic.past + plan.minutes)
        unit = player.unit(self._aws.region)
        static = static_peak(player.load, player.traffic.past, unit=unit)
        demand, arrivals = player.load.demand[day], player.load.arrivals[day]
        return PlayedDay(
            name=player.part.name,
            title=player.part.title,
            mode=policy.mode,
            actuator=policy.actuator,
            policy=_in_words(policy),
            start=int(plan.day.timestamp()),
            demand=demand,
            arrivals=arrivals,
            ready=np.array([held.ready for held in notes.held]),
            requested=np.array([held.requested for held in notes.held]),
            wanted=np.array(notes.wanted),
            floor=np.array(notes.floor),
            spilled=np.array(notes.spilled),
            static=static,
            static_spilled=arrivals * spillover(static, demand, arrivals),
            usd_per_unit_hour=unit.usd_per_unit_hour,
        )


def _wanted(row: Mapping[str, JsonValue]) -> int:
    """What a decision wanted; where the mode withheld it, what it was before."""
    limits = row["limits"]
    assert isinstance(limits, list)
    withheld = [limit["before"] for limit in limits if isinstance(limit, dict) and limit["name"] == Reason.RAISE_ONLY]
    return _whole(withheld[0] if withheld else row["wanted"])


def _whole(value: JsonValue) -> int:
    assert isinstance(value, int)
    return value


def _in_words(policy: Policy) -> str:
    """Objective, and what is not as usual: the actuator, the mode."""
    how = [policy.actuator.value] if policy.actuator is not Actuator.DIRECT else []
    far = [policy.mode.value] if policy.mode is not Mode.APPLY else []
    return ", ".join([_promise(policy.objective), *how, *far])


def _promise(objective: Objective) -> str:
    match objective:
        case Spillover(share=share):
            return f"spillover {100 * share:.3g}%"
        case ColdStarts(per_10k=per_10k):
            return f"{per_10k:.3g} cold starts in 10k"
        case ColdStartCost(usd=usd):
            return f"cold start ${usd:g}"
        case Savings():
            return "savings"
