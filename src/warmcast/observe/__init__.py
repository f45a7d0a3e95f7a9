"""Observe: all that a tick may know of the fleet, each thing read no oftener than it is needed. Edge, read only.

    minutes    the newest minutes of each target's series, as far as they are due (`polling`, `demand`)
    sweep      what the control planes say: pressing, never read, and in turn (`turns`, `sweep`)
    weeks      the past 14 days, for targets that lack them, with the time that is left

An `Observer` lives as long as its warm environment: history is read once, then only what is new. Time comes from the
`now` that it is given; `monotonic` serves for nothing but to stop reading when the time for it is used up. What could
not be read in time keeps its old value, its age shows, and nothing is lowered on it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warmcast.fleet import Spillover
from warmcast.model import Mode, TargetState
from warmcast.observe.demand import Demand, Reads
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

__all__ = ["Observer", "Polling", "Sweeping"]

DEFAULT_SHARE = 0.01
"""The spillover that counts as allowed where the objective is another than spillover."""

_FIRST = (Mode.APPLY, Mode.RAISE_ONLY, Mode.OBSERVE)


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
        budget_s: how long `observe` may begin new calls: half of it for minutes, then up to three quarters for the
            sweep, the rest for weeks. `reread` may take a quarter as much. A call under way is bounded by the client's
            timeouts.
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
        weeks_per_tick: int = 200,
        tick_s: int = 300,
        budget_s: float = 100.0,
    ) -> None:
        self._monotonic = monotonic
        self._budget_s = budget_s
        self._sweep = Sweep(functions, autoscaling, sweeping=sweeping)
        self._demand = Demand(
            metrics, own_function=own_function, polling=polling, weeks_per_tick=weeks_per_tick, tick_s=tick_s
        )

    def observe(
        self, policies: Mapping[TargetId, Policy], memories: Mapping[TargetId, Memory], *, now: datetime
    ) -> Observed:
        """History and state of every target, each read no oftener than it is needed."""
        now_s = int(now.timestamp())
        targets = sorted(policies, key=lambda target: (_FIRST.index(policies[target].mode), target))
        within = self._stopwatch()
        attentions = {target: self._attention(target, memories, now_s=now_s) for target in targets}
        self._demand.read_minutes(attentions, now_s=now_s, in_time=within(0.5))
        self._sweep.look(
            targets,
            pending={t for t in targets if t in memories and memories[t].pending_since is not None},
            suspects={t for t in targets if self._is_suspect(t, policies[t], now_s=now_s)},
            now=now,
            in_time=within(0.75),
        )
        self._demand.read_weeks(targets, now_s=now_s, in_time=within(1.0))
        return Observed(
            histories=self._demand.histories(targets, now_s=now_s),
            states=self._states(targets),
            account=self._account(policies),
            account_fault=self._sweep.account_fault or self._demand.region_fault,
        )

    def reread(self, targets: Sequence[TargetId], *, now: datetime) -> Mapping[TargetId, TargetState | Fault]:
        """The state just before a write, most urgent first; targets for which no calls are left are absent."""
        return self._sweep.reread(targets, now=now, in_time=self._stopwatch()(0.25))

    def _stopwatch(self) -> Callable[[float], Callable[[], bool]]:
        """From now on: whether a share of the budget is not used up yet."""
        start = self._monotonic()
        return lambda share: lambda: self._monotonic() - start < share * self._budget_s

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

    def _account(self, policies: Mapping[TargetId, Policy]) -> AccountLimits | None:
        if self._sweep.account is None:
            return None
        return replace(
            self._sweep.account,
            others_in_use=self._demand.others_in_use,
            elsewhere=self._sweep.elsewhere(policies.keys()),
        )
