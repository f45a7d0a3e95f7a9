"""AWS's refusals of a read, sorted into what a person can act on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warmcast.aws.wire import LOCAL_THROTTLE
from warmcast.model import Fault, FaultKind
from warmcast.refusals import DENIED, NO_IDENTITY, THROTTLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.errors import AwsError

_KINDS: Final[Mapping[str, FaultKind]] = {
    **dict.fromkeys((*DENIED, *NO_IDENTITY), FaultKind.DENIED),
    **dict.fromkeys((*THROTTLED, LOCAL_THROTTLE), FaultKind.THROTTLED),
    "ResourceNotFoundException": FaultKind.MISSING,
    "ResourceConflictException": FaultKind.CONFLICT,
}


def fault_of(error: AwsError) -> Fault:
    """What kept us from reading, with AWS's code and words; a code that is not known is `aws`."""
    return Fault(_KINDS.get(error.code, FaultKind.AWS), str(error))
