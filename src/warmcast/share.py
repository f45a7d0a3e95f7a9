"""Share: the limits that targets have in common, split over their decisions. Pure.

A function's reserved concurrency, the account's unreserved concurrency and the budget (units, USD an hour) each form a
pool. Units are granted one by one from nothing: floors first, then by the load that the unit would carry
(`staffing.marginal_value`: each further unit carries less), ties by name. What a target holds and can't give back now
(blocked, raise-only, mode observe) is taken out of the pools before.

A rise may use only what is free *before* this tick's decreases: AWS counts what stands, and a decrease may fail. So a
full account gives way in one tick and takes up in the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warmcast.decide import action_of
from warmcast.model import Actuator, Limit, Reason
from warmcast.staffing import carried_by_each_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from warmcast.model import AccountLimits, Budget, Decision, TargetId, TargetState

AWS_UNRESERVED_MINIMUM = 100
"""Lambda keeps at least this much concurrency unreserved (AWS: lambda-concurrency.html)."""


ROOM_WORTH_REGISTERING = 0.1


@dataclass(slots=True)
class Pool:
    """Something of which there is only so much; `free` goes down as units are granted."""

    reason: Reason
    free: float
    detail: str
    usd: bool = False

    def cost(self, decision: Decision) -> float:
        """What one unit of this target takes out of the pool."""
        return decision.usd_per_unit_hour if self.usd else 1.0

    def fits(self, decision: Decision) -> bool:
        """Whether one more unit of this target fits (a hair of tolerance for sums of USD)."""
        return self.free - self.cost(decision) >= -1e-9


@dataclass(slots=True)
class Claim:
    """One target's claim on its pools: what it has been granted so far, and what stopped it."""

    decision: Decision
    pools: Sequence[Pool]
    granted: int = 0
    stopped_by: Pool | None = None

    def take(self) -> bool:
        """Grant one unit if every pool has it; else remember which pool has not."""
        if self.stopped_by is not None:
            return False
        self.stopped_by = next((pool for pool in self.pools if not pool.fits(self.decision)), None)
        if self.stopped_by is not None:
            return False
        self.grant(1)
        return True

    def grant(self, units: int) -> None:
        """Take so many units out of every pool."""
        for pool in self.pools:
            pool.free -= pool.cost(self.decision) * units
        self.granted += units

    def take_up_to(self, units: int) -> None:
        """Grant units until there are so many, or a pool is empty."""
        while self.granted < units and self.take():
            pass


@dataclass(frozen=True, slots=True)
class Limits:
    """All that bounds the targets of one account and Region together.

    Args:
        account: None where it could not be read: then nothing rises that reserves no concurrency of its own.
        budget: the owner's limits, which stand outside the fleet.
        states: for reserved concurrency and for what the function's other qualifiers hold.
        undecided: units that stand for targets of ours that are not decided now (a restricted tick, a bad policy).
    """

    account: AccountLimits | None
    budget: Budget
    states: Mapping[TargetId, TargetState]
    undecided: int = 0


def share(decisions: Sequence[Decision], limits: Limits) -> tuple[Decision, ...]:
    """The decisions, clamped so that together they stay within every shared limit; order is kept."""
    targets = _grant(decisions, limits, start=_unmovable)
    lowered = {d.target: min(d.wanted, granted) for d, granted in targets}
    rises = _grant([replace(d, wanted=lowered[d.target]) for d in decisions], limits, start=_held)
    maxima = _hand_out_room(rises.claims, {d.target: d for d in decisions})
    stops = {claim.decision.target: claim.stopped_by for claim in (*targets.claims, *rises.claims) if claim.stopped_by}
    final = {d.target: _final(d, lowered[d.target], granted) for d, granted in rises}
    return tuple(_clamped(d, final[d.target], stops.get(d.target), maxima.get(d.target)) for d in decisions)


@dataclass(frozen=True, slots=True)
class _Grants:
    claims: Sequence[Claim]

    def __iter__(self) -> Iterator[tuple[Decision, int]]:
        return ((claim.decision, claim.granted) for claim in self.claims)


def _held(decision: Decision) -> int:
    """What the target holds of its pools before this tick."""
    return decision.standing


def _unmovable(decision: Decision) -> int:
    """What can't be taken from the target in this tick; a stack's config keeps its one unit."""
    if decision.blocked or not decision.may_lower:
        return _held(decision)
    return min(_held(decision), decision.least)


def _final(decision: Decision, target: int, granted: int) -> int:
    """A decrease goes to its target at once; a rise to what was free."""
    return target if target <= _held(decision) else min(granted, target)


def _grant(decisions: Sequence[Decision], limits: Limits, *, start: Callable[[Decision], int]) -> _Grants:
    """Grant units from `start` up to each wanted capacity: floors first, then by value, ties by name."""
    pools = _pools(decisions, limits)
    claims = [Claim(d, pools[d.target]) for d in sorted(decisions, key=lambda d: d.target)]
    for claim in claims:
        claim.grant(start(claim.decision))
    open_claims = [claim for claim in claims if not claim.decision.blocked]
    if _enough_for_all(open_claims):
        for claim in open_claims:
            claim.grant(max(0, claim.decision.wanted - claim.granted))
        return _Grants(claims)
    _fill(open_claims, upto=lambda d: min(d.wanted, d.floor))
    _fill(open_claims, upto=lambda d: d.wanted)
    return _Grants(claims)


def _enough_for_all(claims: Sequence[Claim]) -> bool:
    """Whether every pool holds all that is wanted of it: the ordinary case, without ranking."""
    wanted: dict[int, float] = {}
    pools = {id(pool): pool for claim in claims for pool in claim.pools}
    for claim in claims:
        for pool in claim.pools:
            missing = max(0, claim.decision.wanted - claim.granted)
            wanted[id(pool)] = wanted.get(id(pool), 0.0) + missing * pool.cost(claim.decision)
    return all(total <= pools[key].free + 1e-9 or total == 0 for key, total in wanted.items())


def _fill(claims: Sequence[Claim], *, upto: Callable[[Decision], int]) -> None:
    """Hand out units in the order of what they carry for their price, until each has its due or its pool is empty."""
    ranked: list[tuple[float, TargetId, int, Claim]] = []
    for claim in claims:
        decision, due = claim.decision, upto(claim.decision)
        if due <= claim.granted:
            continue
        carried = carried_by_each_unit(due, decision.staffed_for, decision.peakedness)
        price = decision.usd_per_unit_hour if any(pool.usd for pool in claim.pools) else 1.0
        values = -carried / max(price, 1e-9)
        ranked.extend((float(values[unit]), decision.target, unit, claim) for unit in range(claim.granted, due))
    for *_, claim in sorted(ranked, key=lambda row: row[:3]):
        claim.take()


def _hand_out_room(claims: Sequence[Claim], decisions: Mapping[TargetId, Decision]) -> Mapping[TargetId, int]:
    """Maxima for Application Auto Scaling, which may go up to them by itself: what is left of the pools, by name.

    What a blocked target has registered counts first.
    """
    scaled = [claim for claim in claims if claim.decision.actuator is Actuator.AUTOSCALING]
    for claim in scaled:
        claim.stopped_by = None
        if claim.decision.blocked:
            claim.take_up_to(claim.decision.registered_maximum or 0)
    maxima = {}
    for claim in scaled:
        if not claim.decision.blocked:
            claim.take_up_to(decisions[claim.decision.target].published_maximum or 0)
            maxima[claim.decision.target] = claim.granted
    return maxima


# --- pools -----------------------------------------------------------------------------------------------------------


def _pools(decisions: Sequence[Decision], limits: Limits) -> Mapping[TargetId, Sequence[Pool]]:
    """The pools of each target, in the order in which they clamp: function, account, budget."""
    managed = {decision.target for decision in decisions}
    common = list(_budget_pools(limits, dearest=max((d.usd_per_unit_hour for d in decisions), default=0.0)))
    account = _account_pool(limits, standing=sum(_held(d) for d in decisions if not _reserves(d, limits)))
    functions: dict[tuple[str, str, str], Pool] = {}
    pools: dict[TargetId, Sequence[Pool]] = {}
    for decision in decisions:
        target, state = decision.target, limits.states.get(decision.target)
        if state is not None and state.reserved is not None:
            key = (target.account, target.region, target.function)
            own = functions.setdefault(key, _function_pool(target, state, managed))
            pools[target] = [own, *common]
        else:
            pools[target] = [account, *common]
    return pools


def _reserves(decision: Decision, limits: Limits) -> bool:
    state = limits.states.get(decision.target)
    return state is not None and state.reserved is not None


def _function_pool(target: TargetId, state: TargetState, managed: Iterable[TargetId]) -> Pool:
    """Provisioned concurrency of a function, over all its qualifiers, stays within what it reserves."""
    names = {other.qualifier for other in managed if other.function == target.function}
    outside = sum(units for qualifier, units in state.siblings.items() if qualifier not in names)
    reserved = state.reserved or 0
    detail = f"reserved concurrency {reserved}" + (f", {outside} of it held by other qualifiers" if outside else "")
    return Pool(Reason.FUNCTION_LIMIT, reserved - outside, detail)


def _account_pool(limits: Limits, *, standing: int) -> Pool:
    """What the account leaves for provisioned concurrency of functions that reserve nothing.

    unreserved 1,000, others use 180 at their peak, headroom 100, 40 held outside the fleet: 1,000 - 280 - 40 = 680.
    Never less than what stands: our own spillover counts among the others' use, and taking capacity away in a surge
    would feed it. Not readable: what stands, and no more.
    """
    account = limits.account
    if account is None:
        return Pool(Reason.ACCOUNT_LIMIT, standing, "the account's limits could not be read: nothing rises")
    if account.others_in_use is None:
        return Pool(Reason.ACCOUNT_LIMIT, standing, "what others use could not be read: nothing rises")
    kept = max(AWS_UNRESERVED_MINIMUM, account.others_in_use + limits.budget.headroom)
    outside = account.elsewhere + limits.undecided
    detail = f"{account.unreserved} unreserved, {kept:.0f} kept free, {outside} outside these targets"
    return Pool(Reason.ACCOUNT_LIMIT, max(account.unreserved - kept - outside, standing), detail)


def _budget_pools(limits: Limits, *, dearest: float) -> Iterator[Pool]:
    """The owner's budget, less what stands for targets that are not decided now (at the dearest unit's price)."""
    budget, undecided = limits.budget, limits.undecided
    besides = f", {undecided} of them held by targets not decided now" if undecided else ""
    if budget.units is not None:
        yield Pool(Reason.BUDGET, budget.units - undecided, f"budget of {budget.units} units{besides}")
    if budget.usd_per_hour is not None:
        free = budget.usd_per_hour - undecided * dearest
        yield Pool(Reason.BUDGET, free, f"budget of ${budget.usd_per_hour:.2f} an hour{besides}", usd=True)


# --- results ---------------------------------------------------------------------------------------------------------


def _steady(maximum: int, decision: Decision, capacity: int) -> int:
    """The maximum already registered, where it fits and the room left to it grew by no more than a tenth.

    Room comes and goes with what the other targets take; a registration is dear (AWS probes the caller's permissions).
    """
    registered = decision.registered_maximum
    limited = maximum < (decision.published_maximum or 0)
    if not limited or registered is None or not capacity <= registered <= maximum:
        return maximum
    return registered if maximum - registered <= ROOM_WORTH_REGISTERING * maximum else maximum


def _clamped(decision: Decision, capacity: int, stopped_by: Pool | None, maximum: int | None) -> Decision:
    """The decision at the capacity that was granted, with the limit that clamped it."""
    if decision.blocked:
        return decision
    published = decision.published_maximum
    if maximum is not None and published is not None:
        kept = 0 if decision.may_lower else max(decision.standing, decision.registered_maximum or 0)
        published = _steady(max(min(published, maximum), kept, capacity), decision, capacity)
    if capacity >= decision.wanted and published == decision.published_maximum:
        return decision
    clamped = replace(decision, wanted=min(capacity, decision.wanted), published_maximum=published)
    if capacity < decision.wanted and stopped_by is not None:
        limit = Limit(stopped_by.reason, decision.wanted, capacity, stopped_by.detail)
        clamped = replace(clamped, reason=stopped_by.reason, limits=(*decision.limits, limit))
    elif published != decision.published_maximum:
        pool = stopped_by.detail if stopped_by else "shared limits"
        limit = Limit(Reason.BUDGET, decision.published_maximum or 0, published or 0, f"maximum: {pool}")
        clamped = replace(clamped, limits=(*decision.limits, limit))
    return replace(clamped, action=action_of(clamped))
