"""Checkup: what `doctor` says of each permission and quota, and what to do about it. Pure.

A write can't be tried without writing, so it is named and not tried.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from warmcast.errors import AwsError
from warmcast.policies import AUTOSCALING_WRITES, WRITES
from warmcast.refusals import Refusal, fix_of, refusal_of
from warmcast.scan.telling import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warmcast.errors import WarmcastError
    from warmcast.model import AccountLimits
    from warmcast.permissions import Read

AWS_KEEPS: Final = 100
"""What Lambda leaves unreserved: provisioned concurrency may take no more than the rest
(docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html)."""

QUOTA_CODE: Final = "L-B99A9384"
"""Service Quotas' code of Lambda's concurrent executions."""

USUAL_QUOTA: Final = 1000

SIMULATE: Final = (
    "of writes IAM tells without writing: iam:SimulatePrincipalPolicy with the function's role and the action"
)


class Health(StrEnum):
    """How one check came out."""

    OK = "ok"
    DENIED = "denied"
    LIMIT = "limit"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Check:
    """One permission, quota or setting.

    Args:
        what: the IAM action, or the quota's name.
        why: what it is needed for.
        detail: what was seen, or AWS's own words.
        fix: what to do about it; empty where nothing is to be done.
    """

    what: str
    why: str
    health: Health
    detail: str = ""
    fix: str = ""


def well(checks: Iterable[Check]) -> bool:
    """Whether nothing stands in the way; what was not tried does not count."""
    return all(check.health in {Health.OK, Health.NOT_TRIED} for check in checks)


def name_of(read: Read) -> str:
    """A read as its IAM action; an operation that needs none by its own name."""
    return ", ".join(read.actions) or f"{read.operation.replace('.', ':')} (needs no permission)"


def passed(read: Read, detail: str) -> Check:
    """A read that AWS answered."""
    return Check(name_of(read), read.why, Health.OK, detail)


def untried(read: Read, why_not: str) -> Check:
    """A read that was not tried."""
    return Check(name_of(read), read.why, Health.NOT_TRIED, why_not)


def refused(read: Read, error: AwsError, *, profile: str, region: str) -> Check:
    """A read that AWS refused: its words, and how to mend it."""
    health = {Refusal.DENIED: Health.DENIED, Refusal.THROTTLED: Health.LIMIT}.get(refusal_of(error), Health.FAILED)
    fix = fix_of(error, profile=profile, region=region)
    if read.without and fix:
        fix = f"{fix}; without it {read.without}"
    return Check(name_of(read), read.why, health, f"{error.code}: {error.message}", fix)


def unusable(error: WarmcastError, *, profile: str, region: str) -> Check:
    """A profile or Region that can't be used at all, found out before any call."""
    fix = fix_of(error, profile=profile, region=region) if isinstance(error, AwsError) else ""
    return Check("configuration", "profile and Region", Health.FAILED, str(error), fix)


def unknown_region(region: str, known: Sequence[str]) -> Check:
    """A Region that the installed SDK has never heard of: a slip, or newer than it."""
    alike = difflib.get_close_matches(region, known, n=3)
    alike.sort(key=lambda name: sorted(name) != sorted(region))  # difflib takes two letters swapped for two slips
    fix = f"did you mean {' or '.join(alike)}?" if alike else f"Regions are spelt like {', '.join(known[:2])}"
    return Check("configuration", "profile and Region", Health.FAILED, f"the SDK knows no Region {region}", fix)


def concurrency(limits: AccountLimits, region: str) -> Check:
    """Whether the account has room for provisioned concurrency at all.

    The room is a bound: how much of it is provisioned already no single call tells.

    | concurrency | unreserved | room | health |
    | ----------- | ---------- | ---- | ------ |
    | 1000        | 900        | 800  | ok     |
    | 1000        | 100        | 0    | limit  |
    | 10          | 10         | 0    | limit  |
    """
    room = max(0, limits.unreserved - AWS_KEEPS)
    known = f"{limits.concurrency:,}, of it {limits.unreserved:,} unreserved"
    less = ", less what is provisioned already on functions without a reservation" if room else ""
    detail = f"{known}: room for at most {count(room, 'unit')}{less}"
    what, why = "concurrent executions", "provisioned concurrency is part of them, AWS keeps 100 unreserved"
    if room:
        return Check(what, why, Health.OK, detail)
    wanted = USUAL_QUOTA if limits.concurrency < USUAL_QUOTA else limits.concurrency + USUAL_QUOTA
    fix = (
        f"ask for more: `aws service-quotas request-service-quota-increase --service-code lambda --quota-code "
        f"{QUOTA_CODE} --desired-value {wanted} --region {region}`"
    )
    if limits.concurrency > limits.unreserved:
        fix += ", or lower what functions reserve"
    return Check(what, why, Health.LIMIT, detail, fix)


def rate(per_s: float) -> Check:
    """What of Lambda's control plane a scan takes; told, for it can't be raised."""
    detail = f"15 calls a second, for everybody in the account; Warmcast takes {per_s:g} of them at the most"
    return Check("control-plane rate", "each function is asked for its provisioned concurrency", Health.OK, detail)


def writes() -> Sequence[Check]:
    """The controller's writes, of which none is tried."""
    return [
        *(_write(action, "sets capacity" if action.startswith("lambda") else "remembers, locks") for action in WRITES),
        *(_write(action, "only for `actuator: autoscaling`") for action in AUTOSCALING_WRITES),
    ]


def _write(action: str, why: str) -> Check:
    return Check(action, why, Health.NOT_TRIED, "a write", SIMULATE)
