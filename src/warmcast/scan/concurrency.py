"""Concurrency: the account's limit and its reservations, and which function is close to which. Pure.

| what is seen | what is said |
| --- | --- |
| throttles at a function's own reservation | raise the reservation, as far as the account has room; else the quota |
| throttles without a reservation while the account's peak is near what is left unreserved | ask for a higher quota |
| the same, and one other function without reservation takes half of the peak | reserve for the throttled one |
| a reservation of which hardly anything is ever used, and that takes from a crowded account | lower it |
| the account's peak near its limit | ask for a higher quota |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.scan.found import ConcurrencyRow, Evidence, FunctionSeen, Pressure, Survey
from warmcast.scan.telling import number, share

if TYPE_CHECKING:
    from collections.abc import Mapping

NEAR = 0.8
"""Of a limit: a peak above it leaves less room than one day's growth or a retry storm takes."""

LEAST_UNRESERVED = 100
"""AWS keeps so many unreserved: PutFunctionConcurrency is refused below (Lambda developer guide, configuration)."""

IDLE_SHARE = 0.2
IDLE_UNITS = 10
"""Of a reservation ever in use, and units that nobody used, before it is worth a word."""

NOISY_SHARE = 0.5
"""Of the account's peak in one function: it takes the others' room."""

HEADROOM = 1.25
"""A reservation above the peak it is to hold: a peak at the limit is cut off, so that more was wanted."""

ROUND = 100
"""Quotas are asked for in hundreds."""

NOT_KNOWN = float("nan")

LISTING = "ListFunctions"
ASKING = "provisioned concurrency:"
"""Of a survey: the operation without which nothing is known of functions, and how `unread` begins of those whose
provisioned concurrency could not be read."""

THROTTLES = "CloudWatch Throttles, Sum"
PEAKS = "CloudWatch ConcurrentExecutions, Maximum"
LIMITS = "Lambda GetAccountSettings"
RESERVED = "Lambda GetFunction"
RESERVING = "Lambda developer guide, configuration-concurrency: 100 must stay unreserved"
CLAIMED = "Lambda developer guide, monitoring-concurrency: ClaimedAccountConcurrency"


@dataclass(frozen=True, slots=True)
class _Account:
    """The account in this Region.

    Args:
        limit: concurrent executions. unreserved: of them, what no function reserves.
        peak: highest concurrency of all functions together; NaN where it is not known.
        provisioned: on functions without a reservation, as far as known.
        complete: whether every function was listed, and asked for its provisioned concurrency.
        free_peak: what those had at once at most; where no metric tells, their peaks together, which need not coincide.
    """

    limit: int
    unreserved: int
    peak: float
    provisioned: int
    free_peak: float
    complete: bool

    @property
    def reserved(self) -> int:
        return self.limit - self.unreserved

    @property
    def claimed(self) -> int:
        """What is spoken for whether anything runs or not: reservations, and capacity of functions without one."""
        return self.reserved + self.provisioned

    @property
    def left(self) -> int:
        """What functions without reservation share on demand."""
        return max(0, self.limit - self.claimed)

    @property
    def crowded(self) -> bool:
        """Whether what runs, or what is claimed, is near the limit."""
        return max(_known(self.peak), float(self.claimed)) >= NEAR * self.limit

    @property
    def full(self) -> bool:
        """Whether functions without reservation can have come near the end of what they share."""
        return self.crowded or self.free_peak >= NEAR * self.unreserved

    @property
    def reservable(self) -> int:
        """What could still be reserved: 100 must stay unreserved, beside the provisioned concurrency there."""
        return max(0, self.unreserved - max(LEAST_UNRESERVED, self.provisioned))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A function's concurrency over the time looked at; `peak` and `throttles` NaN where not known."""

    function: FunctionSeen
    peak: float
    throttles: float
    noisiest: str
    noisiest_peak: float


def pressures(
    survey: Survey, *, peaks: Mapping[str, float], throttles: Mapping[str, float], account_peak: float, days: float
) -> tuple[ConcurrencyRow, ...]:
    """The account's row, then one of each function that reserves, was throttled, or comes near what is left.

    Args:
        survey: functions, their reservations, and the account's limits; without those there are no rows.
        peaks: highest concurrency by function, whatever the qualifier. What is not known is NaN or missing.
        throttles: number by function.
        account_peak: highest concurrency of all together; NaN where not known.
        days: over which.
    """
    if survey.account is None:
        return ()
    free = [function for function in survey.functions if function.reserved is None]
    of_free = {function.name: _known(peaks.get(function.name)) for function in free}
    on_demand = survey.account.others_in_use
    account = _Account(
        limit=survey.account.concurrency,
        unreserved=survey.account.unreserved,
        peak=account_peak,
        provisioned=sum(each.requested for function in free for each in function.provisioned.values()),
        free_peak=sum(of_free.values()) if on_demand is None else on_demand,
        complete=_complete(survey),
    )
    none = account.complete and not survey.functions
    total = sum(map(_known, throttles.values())) if throttles or none else NOT_KNOWN
    rows = [_account_row(survey, account, total, days)]
    for function in sorted(survey.functions, key=lambda each: each.name):
        others = {name: peak for name, peak in of_free.items() if name != function.name}
        noisiest = max(others, key=lambda name: (others[name], name), default="")
        peak, throttled = (each.get(function.name, NOT_KNOWN) for each in (peaks, throttles))
        seen = _Seen(function, peak, throttled, noisiest, others.get(noisiest, 0.0))
        near = function.reserved is None and account.left > 0 and peak >= NEAR * account.left
        if function.reserved is not None or throttled > 0 or near:
            rows.append(_function_row(survey, account, seen, days))
    return tuple(rows)


def _complete(survey: Survey) -> bool:
    """Whether the provisioned concurrency of every function is known."""
    listed = not any(denial.operation == LISTING for denial in survey.denials)
    return listed and not any(each.startswith(ASKING) for function in survey.functions for each in function.unread)


def _known(value: float | None) -> float:
    """NaN and nothing are no number to compare: 0."""
    return value if value is not None and value > 0 else 0.0


# --- the account -----------------------------------------------------------------------------------------------------


def _account_row(survey: Survey, account: _Account, throttles: float, days: float) -> ConcurrencyRow:
    peak = "its peak is not known"
    if not math.isnan(account.peak):
        peak = f"the highest in {days:.3g} days was {number(account.peak)}"
    evidence = [
        Evidence(f"The account may run {account.limit:,} at once; {peak}.", f"{LIMITS}; {PEAKS}, {days:.3g} days"),
        Evidence(_claimed(account), f"{LIMITS}; {CLAIMED}"),
    ]
    pressure = Pressure.FINE
    if account.crowded:
        used = share(max(_known(account.peak), account.claimed) / account.limit)
        pressure = Pressure.QUOTA
        evidence.append(
            Evidence(
                f"That is {used} of the limit: ask Service Quotas "
                f"for {_quota(account):,} concurrent executions (code L-B99A9384), or lower what is claimed.",
                "Service Quotas, Lambda concurrent executions",
            )
        )
    elif account.limit <= LEAST_UNRESERVED:
        evidence.append(Evidence("Nothing can be reserved here: 100 must stay unreserved.", RESERVING))
    return ConcurrencyRow(
        place=survey.place,
        function="",
        limit=account.limit,
        peak=account.peak,
        throttles=throttles,
        pressure=pressure,
        evidence=tuple(evidence),
        left=account.left if account.complete else None,
    )


def _claimed(account: _Account) -> str:
    if not account.complete:
        return (
            f"{account.reserved:,} are reserved; how many are provisioned on functions that reserve nothing is not "
            "known, for not all of them could be read, and so not what is left on demand."
        )
    return (
        f"{account.claimed:,} are claimed whether anything runs or not: {account.reserved:,} reserved, and "
        f"{account.provisioned:,} provisioned on functions that reserve nothing; {account.left:,} are left for all "
        "others on demand."
    )


def _quota(account: _Account) -> int:
    wanted = max(_known(account.peak) * HEADROOM, account.claimed / NEAR, account.limit * HEADROOM)
    return math.ceil(wanted / ROUND) * ROUND


# --- a function ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Word:
    """What is said of a function's limit."""

    pressure: Pressure
    text: str
    source: str


def _function_row(survey: Survey, account: _Account, seen: _Seen, days: float) -> ConcurrencyRow:
    function = seen.function
    word = _of_reserved(account, seen, function.reserved) if function.reserved is not None else _of_free(account, seen)
    held = f"reserves {function.reserved:,}" if function.reserved is not None else "reserves nothing"
    had = "its peak is not known" if math.isnan(seen.peak) else f"had {number(seen.peak)} at once at most"
    fact = Evidence(
        f"It {held}, and {had} in {days:.3g} days; {_throttled(seen.throttles)}.",
        f"{RESERVED}; {PEAKS}; {THROTTLES}, {days:.3g} days",
    )
    return ConcurrencyRow(
        place=survey.place,
        function=function.name,
        limit=function.reserved,
        peak=seen.peak,
        throttles=seen.throttles,
        pressure=word.pressure,
        evidence=(fact, Evidence(word.text, word.source)),
    )


def _throttled(requests: float) -> str:
    if math.isnan(requests):
        return "how many requests were throttled is not known"
    if requests == 1:
        return "1 request was throttled"
    return f"{number(requests)} requests were throttled" if requests else "nothing was throttled"


def _of_reserved(account: _Account, seen: _Seen, reserved: int) -> _Word:
    if reserved == 0:
        return _Word(Pressure.FINE, "A reservation of 0 switches it off: every call is throttled on purpose.", RESERVED)
    if math.isnan(seen.peak):
        return _Word(Pressure.FINE, "How much of its reservation was in use is not known.", PEAKS)
    if seen.throttles > 0 and seen.peak >= NEAR * reserved:
        return _raise(account, seen, reserved)
    provisioned = sum(each.requested for each in seen.function.provisioned.values())
    used = max(seen.peak, float(provisioned))
    unused = reserved - used
    if account.full and not seen.throttles > 0 and used < IDLE_SHARE * reserved and unused >= IDLE_UNITS:
        return _Word(
            Pressure.RESERVATION_IDLE,
            f"{number(unused)} of its {reserved:,} were never used, and are missing to all others. Lower it to about "
            f"{_rounded(max(used, 1))}, unless it is kept for a rare event, or caps what calls a database.",
            PEAKS,
        )
    if seen.throttles > 0:
        text = (
            "It was throttled below its reservation: bursts faster than 1,000 environments in 10 seconds, or 10 "
            "requests a second per environment, throttle as well; a higher reservation does not help against them."
        )
        return _Word(Pressure.FINE, text, "Lambda developer guide, scaling-behavior")
    return _Word(Pressure.FINE, f"It had {share(seen.peak / reserved)} of its reservation in use at most.", PEAKS)


def _raise(account: _Account, seen: _Seen, reserved: int) -> _Word:
    """It is cut off at its own limit: what it would have had is not known, a quarter more is a beginning."""
    wanted = _rounded(max(seen.peak, reserved))
    if wanted - reserved <= account.reservable:
        return _Word(
            Pressure.RESERVATION_TOO_LOW,
            f"It is throttled at its own reservation. Raise it to {wanted:,} to begin with (throttles hide how much it "
            "would take), unless it is there to protect what the function calls.",
            RESERVED,
        )
    return _Word(
        Pressure.QUOTA,
        f"It is throttled at its own reservation, and {account.reservable:,} more can be reserved: {LEAST_UNRESERVED} "
        f"must stay unreserved. Ask for a quota of {_quota(account):,} first, then reserve {wanted:,}.",
        RESERVING,
    )


def _of_free(account: _Account, seen: _Seen) -> _Word:
    if not seen.throttles > 0:
        text = f"Its peak is {share(seen.peak / account.left)} of what is left for all functions that reserve nothing."
        return _Word(Pressure.QUOTA if account.crowded else Pressure.FINE, text, f"{PEAKS}; {LIMITS}")
    if not account.full:
        text = (
            "It was throttled while the account had room: bursts faster than 1,000 environments in 10 seconds throttle "
            "too, and neither a reservation nor a quota helps against them."
        )
        return _Word(Pressure.FINE, text, "Lambda developer guide, scaling-behavior")
    wanted = _rounded(max(_known(seen.peak), 1))
    noisy = seen.noisiest_peak >= NOISY_SHARE * max(_known(account.peak), 1.0) and seen.peak < seen.noisiest_peak
    if noisy and wanted <= account.reservable:
        return _Word(
            Pressure.RESERVE,
            f"{seen.noisiest} has up to {number(seen.noisiest_peak)} of the account's {number(account.peak)} at once. "
            f"Reserve {wanted:,} for this one, or cap the other by a reservation of its own.",
            f"{PEAKS}; {RESERVING}",
        )
    return _Word(
        Pressure.QUOTA,
        f"It reserves nothing and is throttled while what all such functions share ({account.unreserved:,} of the "
        f"account's {account.limit:,}) is nearly used up: the account is too small, not the function. Ask for "
        f"{_quota(account):,}{_or_lower(account)}.",
        f"{PEAKS}; {LIMITS}",
    )


def _or_lower(account: _Account) -> str:
    return f", or lower some of the {account.reserved:,} that others reserve" if account.reserved else ""


def _rounded(peak: float) -> int:
    """A quarter above a peak, in tens."""
    return math.ceil(peak * HEADROOM / 10) * 10
