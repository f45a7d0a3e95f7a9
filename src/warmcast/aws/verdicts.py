"""What AWS's refusal of a write means for a target: error -> verdict, by one table. Pure.

First the code, then words of the message, because AWS uses one code for many things. The first row that matches counts.
Texts as recorded from AWS; where AWS's words were never recorded, the words are those of the documentation or of users'
reports, and the last row of each code catches the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warmcast.aws.answers import UNREADABLE
from warmcast.aws.wire import LOCAL_THROTTLE
from warmcast.model import Result
from warmcast.refusals import DENIED, NEVER_SENT, NO_IDENTITY, THROTTLED

if TYPE_CHECKING:
    from warmcast.errors import AwsError

CONFLICT: Final = "ResourceConflictException"
INVALID: Final = "InvalidParameterValueException"
NOT_FOUND: Final = "ResourceNotFoundException"
VALIDATION: Final = "ValidationException"

MAYBE: Final = "it may have been applied; the next tick looks"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row: errors of these codes whose message has these words come to this result, and a person should know this.

    Args:
        words: part of the message, any case; empty: whatever the message says.
        meaning: what it means and, for a finding, what to do.
    """

    codes: tuple[str, ...]
    words: str
    result: Result
    meaning: str

    def covers(self, error: AwsError) -> bool:
        """Whether the row is about this error."""
        return error.code in self.codes and self.words.lower() in error.message.lower()


def judge(error: AwsError) -> Verdict:
    """The first row of the table that covers the error; `failed` where none does."""
    unknown = Verdict((error.code,), "", Result.FAILED, "an answer that Warmcast does not know")
    return next((row for row in VERDICTS if row.covers(error)), unknown)


def _deferred(codes: tuple[str, ...], words: str, meaning: str) -> Verdict:
    return Verdict(codes, words, Result.DEFERRED, meaning)


def _refused(codes: tuple[str, ...], words: str, meaning: str) -> Verdict:
    return Verdict(codes, words, Result.REFUSED, meaning)


UNANSWERED: Final = (
    "ReadTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "HTTPClientError",
    "IncompleteReadError",
    "ResponseStreamingError",
    "RequestTimeout",
    "RequestTimeoutException",
    UNREADABLE,
)
SERVER_FAULTS: Final = (
    "ServiceException",
    "InternalServiceException",
    "InternalServerError",
    "InternalFailure",
    "InternalError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "500",
    "502",
    "503",
    "504",
)

VERDICTS: Final[tuple[Verdict, ...]] = (
    # Lambda: two version conflicts are for people to mend; any other 409 passes by itself.
    _refused(
        (CONFLICT,),
        "already provisioned version",
        "the alias's version has provisioned concurrency of its own, directly or by another alias: remove one of them",
    ),
    _refused(
        (CONFLICT,),
        "pointed by a Provisioned Concurrency alias",
        "an alias with provisioned concurrency points to this version: manage one of the two",
    ),
    _deferred((CONFLICT,), "previous request is being processed", "an earlier change is still in progress"),
    _deferred((CONFLICT,), "", "another change is under way"),
    # Lambda: the alias shifts to another version (a canary, or Lambda's own shift); both wordings were seen.
    _deferred((INVALID,), "alias with weights", "the alias has routing weights: a deployment is under way"),
    _deferred((INVALID,), "invalid alias configuration", "the alias is shifting: a deployment is under way"),
    # Lambda: what can't have provisioned concurrency at all.
    _refused(
        (INVALID,), "unpublished function versions", "$LATEST can't have it: name an alias or a published version"
    ),
    _refused((INVALID,), "alias or a published version", "$LATEST can't have it: name an alias or a published version"),
    _refused((INVALID,), "snapstart", "a version with SnapStart is not eligible"),
    _refused((INVALID,), "tenancy", "a function that isolates tenants is not eligible"),
    _refused((INVALID,), "capacity provider", "a function on Lambda Managed Instances is not eligible"),
    # Lambda: limits.
    _refused(
        (INVALID,),
        "greater than the reservedConcurrentExecution",
        "above the function's reserved concurrency, its other aliases included: raise that, or lower the policy",
    ),
    _refused((INVALID,), "greater than account's unreserved", "above the account's unreserved concurrency"),
    _refused((INVALID,), "below its minimum value", "it would leave the account under 100 unreserved executions"),
    _refused(
        (INVALID,),
        "lower than function's total provisioned",
        "reserved concurrency is below the provisioned concurrency",
    ),
    _refused((INVALID,), "", "AWS does not accept this request"),
    # Lambda: what is gone.
    _refused(
        (NOT_FOUND,), "cannot find alias", "there is no such alias: create it, or take the target out of the fleet"
    ),
    _refused((NOT_FOUND,), "function not found", "there is no such function or version: mend the policy's name"),
    _refused((NOT_FOUND,), "", "it does not exist"),
    _deferred(
        ("ProvisionedConcurrencyConfigNotFoundException",), "", "somebody removed the config; the next tick looks again"
    ),
    # Application Auto Scaling: it probes our permissions and names the one that lacks.
    _refused((VALIDATION,), "not authorized", "Warmcast's role lacks a permission that AWS names"),
    _refused((VALIDATION,), "permission", "Warmcast's role lacks a permission that AWS names"),
    _refused((VALIDATION,), "access denied", "Warmcast's role lacks a permission that AWS names"),
    _refused((VALIDATION,), "greater than or equal to 1", "a capacity of 0 can't be requested: it would be a Delete"),
    _refused((VALIDATION,), "", "AWS does not accept this request"),
    _deferred(("ConcurrentUpdateException",), "", "the scalable target has an update pending"),
    _deferred(("ObjectNotFoundException",), "", "the scalable target is not registered, or not visible yet"),
    _refused(
        ("LimitExceededException",), "", "Application Auto Scaling's quota is used up (500 targets a Region by default)"
    ),
    _refused(
        ("FailedResourceAccessException",),
        "",
        "Application Auto Scaling may not read its alarms: see the service's role",
    ),
    # All services.
    _deferred((LOCAL_THROTTLE,), "", "no turn left in this tick"),
    _deferred(THROTTLED, "", "AWS's request rate is used up, by us or by others"),
    _deferred(NEVER_SENT, "", "AWS could not be reached; nothing was sent"),
    _deferred(UNANSWERED, "", f"no answer that could be read: {MAYBE}"),
    _deferred(SERVER_FAULTS, "", f"a fault on AWS's side: {MAYBE}"),
    _refused(DENIED, "", "Warmcast's role lacks the permission"),
    _refused(NO_IDENTITY, "", "AWS does not accept our credentials"),
)
