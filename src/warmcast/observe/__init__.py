"""Observe: all that a tick may know of the fleet, each thing read no oftener than it is needed. Edge, read only.

    minutes    the newest minutes of each target's series, as far as they are due (`polling`, `demand`)
    sweep      what the control planes say: pressing, never read, and in turn (`turns`, `sweep`)
    weeks      the past 14 days, for targets that lack them, with the time that is left

An `Observer` lives as long as its warm environment: history is read once, then only what is new. Time comes from the
`now` that it is given; `monotonic` serves for nothing but to stop reading when the time for it is used up (`allow`,
`Shares`). What could not be read in time keeps its old value, its age shows, and nothing is lowered on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warmcast.aws.wire import Pace
from warmcast.fleet import Spillover
from warmcast.model import Mode, TargetState
from warmcast.observe.demand import WEEKS_PER_TICK, Demand, Reads
from warmcast.observe.history import MINUTE_S, REACH_S
from warmcast.observe.polling import Attention, Polling, urgencies
from warmcast.observe.sweep import AutoScaling, Functions, Sweep
from warmcast.observe.turns import Sweeping, spills_oddly
from warmcast.tick import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warmcast.fleet import Policy
    from warmcast.model import AccountLimits, Fault, Memory, TargetId

__all__ = ["Observer", "Polling", "Shares", "Sweeping"]

DEFAULT_SHARE = 0.01
"""The spillover that counts as allowed where the objective is another than spillover."""

_FIRST = (Mode.APPLY, Mode.RAISE_ONLY, Mode.OBSERVE)


@dataclass(frozen=True, slots=True)
class Shares:
    """How a tick's time is shared out; what is left of it is for writes, each a call of the same 4 a second.

    | a tick of           | 1 min | 2 min | 5 min | 15 min |
    | ------------------- | ----- | ----- | ----- | ------ |
    | seconds allowed     | 40    | 90    | 230   | 830    |
    | observe, at most    | 16 s  | 36 s  | 92 s  | 332 s  |
    | reread, at most     | 16 s  | 36 s  | 92 s  | 332 s  |
    | targets reread      | 32    | 72    | 184   | 664    |

    Args:
        observe: for `Observer.observe`: half of it for minutes, up to three quarters for the sweep, the rest for weeks.
        reread: for `Observer.reread`, however long `observe` took.
    """

    observe: float = 0.4
    reread: float = 0.4


class Observer:
    """Reads AWS for a tick; implements `tick.Observer`. One per account and Region.

    Args:
        metrics: CloudWatch.
        functions: Lambda's control plane.
        autoscaling: Application Auto Scaling.
        monotonic: seconds from an arbitrary start.
        own_function: Warmcast's own function, the heartbeat; empty on a laptop.
        polling: how often each series is read.
        sweeping: how often the control planes are asked, and the budget of calls.
        weeks_per_tick: for how many targets the past weeks are read in one tick at most.
        tick_s: seconds between ticks.
        shares: how the time that `allow` grants is shared out.
    """

    def __init__(  # noqa: PLR0913 - the three clients, the clock, and settings that all have a default
        self,
        *,
        metrics: Reads,
        functions: Functions,
        autoscaling: AutoScaling,
        monotonic: Callable[[], float],
        own_function: str = "",
        polling: Polling | None = None,
        sweeping: Sweeping | None = None,
        weeks_per_tick: int = WEEKS_PER_TICK,
        tick_s: int = 300,
        shares: Shares | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._shares = shares or Shares()
        self._began_s, self._allowed_s = 0.0, math.inf
        self._sweep = Sweep(functions, autoscaling, sweeping=sweeping)
        self._demand = Demand(
            metrics, own_function=own_function, polling=polling, weeks_per_tick=weeks_per_tick, tick_s=tick_s
        )

    def allow(self, seconds: float) -> None:
        """Say at a tick's begin how many seconds it may take; a process that never says so is not bounded.

        No call is begun past its share of them; a call under way is bounded by the client's own timeouts.
        """
        self._began_s, self._allowed_s = self._monotonic(), seconds

    def observe(
        self, policies: Mapping[TargetId, Policy], memories: Mapping[TargetId, Memory], *, now: datetime
    ) -> Observed:
        """History and state of every target, each read no oftener than it is needed."""
        now_s = int(now.timestamp())
        targets = sorted(policies, key=lambda target: (_FIRST.index(policies[target].mode), target))
        attentions = {target: self._attention(target, memories, now_s=now_s) for target in targets}
        self._demand.read_minutes(attentions, now_s=now_s, in_time=self._until(0.5 * self._shares.observe))
        self._sweep.look(
            targets,
            pending={t for t in targets if t in memories and memories[t].pending_since is not None},
            suspects={t for t in targets if self._is_suspect(t, policies[t], now_s=now_s)},
            now=now,
            in_time=self._until(0.75 * self._shares.observe),
        )
        self._demand.read_weeks(targets, now_s=now_s, in_time=self._until(self._shares.observe))
        states = self._states(targets)
        self._demand.see_existing((t for t in targets if isinstance(states.get(t), TargetState)), now_s=now_s)
        return Observed(
            histories=self._demand.histories(targets, now_s=now_s),
            states=states,
            account=self._account(policies, now_s=now_s),
            account_fault=self._sweep.account_fault or self._demand.region_fault,
            notes=self._sweep.notes(),
        )

    def reread(self, targets: Sequence[TargetId], *, now: datetime) -> Mapping[TargetId, TargetState | Fault]:
        """The state just before a write, most urgent first; targets for which no calls are left are absent."""
        own_s = self._shares.reread * self._allowed_s
        end = min(self._monotonic() + own_s, self._began_s + self._shares.observe * self._allowed_s + own_s)
        calls = own_s * Pace.CONTROL_PLANE_PER_S
        return self._sweep.reread(targets, now=now, calls=calls, in_time=lambda: self._monotonic() < end)

    def _until(self, share: float) -> Callable[[], bool]:
        """Whether this share of the tick's time is not used up yet."""
        end = self._began_s + share * self._allowed_s
        return lambda: self._monotonic() < end

    def _attention(self, target: TargetId, memories: Mapping[TargetId, Memory], *, now_s: int) -> Attention:
        state, memory = self._sweep.state(target), memories.get(target)
        changed_at = memory.changed_at if memory else None
        urgent = urgencies(
            self._demand.record(target, now_s=now_s),
            now_s=now_s,
            allowed=self._allowed(state),
            changed_at_s=changed_at.timestamp() if changed_at else None,
        )
        return Attention(state.timeout_s, urgent) if isinstance(state, TargetState) else Attention(urgent=urgent)

    def _allowed(self, state: TargetState | Fault | None) -> float | None:
        """The concurrency at which the function would be throttled, as far as known."""
        if isinstance(state, TargetState) and state.reserved is not None:
            return state.reserved
        return self._sweep.account.unreserved if self._sweep.account else None

    def _is_suspect(self, target: TargetId, policy: Policy, *, now_s: int) -> bool:
        state = self._sweep.state(target)
        if not isinstance(state, TargetState):
            return False
        recent = self._demand.record(target, now_s=now_s).fine[:, -REACH_S // MINUTE_S :]
        share = policy.objective.share if isinstance(policy.objective, Spillover) else DEFAULT_SHARE
        return spills_oddly(recent, state.capacity, allowed_share=share)

    def _states(self, targets: Sequence[TargetId]) -> dict[TargetId, TargetState | Fault]:
        known = {target: self._sweep.state(target) for target in targets}
        return {target: state for target, state in known.items() if state is not None}

    def _account(self, policies: Mapping[TargetId, Policy], *, now_s: int) -> AccountLimits | None:
        if self._sweep.account is None:
            return None
        return replace(
            self._sweep.account,
            others_in_use=self._demand.others_in_use(now_s=now_s),
            elsewhere=self._sweep.elsewhere(policies.keys()),
        )
