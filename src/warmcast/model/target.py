"""Who is meant: a target, and the words that policies and AWS use of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How far a policy trusts Warmcast."""

    OBSERVE = "observe"
    RAISE_ONLY = "raise-only"
    APPLY = "apply"


class Actuator(StrEnum):
    """Which AWS interface carries a capacity out."""

    DIRECT = "direct"
    AUTOSCALING = "autoscaling"


class Status(StrEnum):
    """The status of a provisioned concurrency config, in AWS's words."""

    READY = "READY"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "FAILED"


@dataclass(frozen=True, order=True, slots=True)
class TargetId:
    """One alias or published version that Warmcast manages."""

    account: str
    region: str
    function: str
    qualifier: str

    def __str__(self) -> str:
        return f"{self.function}:{self.qualifier}"

    @property
    def arn(self) -> str:
        """The qualified ARN (partition `aws`)."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.function}:{self.qualifier}"
