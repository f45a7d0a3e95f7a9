"""An AWS account under test: this package's server, or a real one, behind the same few words.

With WARMCAST_REAL_AWS=1 the conformance tests run in the account and Region of the environment's credentials, on the
function `<WARMCAST_REAL_AWS_FUNCTION>-conformance`, which must exist with the published versions 1 and 2, no reserved
concurrency and nothing else to do. They create and delete aliases, provisioned concurrency (a few units, for minutes)
and a scalable target there.
"""

from __future__ import annotations

import os
import time
import uuid
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient

    from localaws.server import LocalAws

NAME = "conformance"
# Parameters go out as they are: what AWS itself says to a bad one is what is tested.
_CONFIG = Config(parameter_validation=False, retries={"mode": "standard", "total_max_attempts": 8})


@dataclass(frozen=True, slots=True)
class Answered:
    """AWS's error, in the parts that a program may rely on."""

    status: int
    code: str
    message: str


class Account(ABC):
    """What a conformance test may use: plain boto3 clients, one function with versions 1 and 2, and patience."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None, function: str) -> None:
        self.lambda_: LambdaClient = session.client("lambda", endpoint_url=endpoint_url, config=_CONFIG)
        self.cloudwatch: CloudWatchClient = session.client("cloudwatch", endpoint_url=endpoint_url, config=_CONFIG)
        self.autoscaling: ApplicationAutoScalingClient = session.client(
            "application-autoscaling", endpoint_url=endpoint_url, config=_CONFIG
        )
        self.function = function
        self._cleanup = ExitStack()

    @abstractmethod
    def now(self) -> datetime:
        """The account's clock."""

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Let time pass."""

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.lambda_.get_function(FunctionName=self.function)["Configuration"]["FunctionArn"].split(":$")[0]

    def wait_until(self, done: Callable[[], bool], *, at_most_s: float = 900) -> None:
        """Let time pass until something holds."""
        for _ in range(int(at_most_s // 15)):
            if done():
                return
            self.pause(15)
        raise AssertionError(f"not so after {at_most_s} s")

    def new_alias(self, version: str = "1", *, weights: Mapping[str, float] | None = None) -> str:
        """A fresh alias, deleted after the test."""
        name = f"c{uuid.uuid4().hex[:8]}"
        self.lambda_.create_alias(
            FunctionName=self.function,
            Name=name,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights or {}},
        )
        self._cleanup.callback(self.lambda_.delete_alias, FunctionName=self.function, Name=name)
        return name

    def put(self, qualifier: str, amount: int) -> None:
        """Request provisioned concurrency, deleted after the test."""
        self.lambda_.put_provisioned_concurrency_config(
            FunctionName=self.function, Qualifier=qualifier, ProvisionedConcurrentExecutions=amount
        )
        self.release_later(qualifier)

    def release_later(self, qualifier: str) -> None:
        """Delete a config after the test."""
        self._cleanup.callback(self._delete, qualifier)

    def status(self, qualifier: str) -> str:
        """The status of a config."""
        return self.lambda_.get_provisioned_concurrency_config(FunctionName=self.function, Qualifier=qualifier)[
            "Status"
        ]

    def refusal(self, call: Callable[[], object]) -> Answered:
        """What AWS answers to a call that it refuses."""
        try:
            call()
        except ClientError as error:
            answer, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            return Answered(status, answer["Code"], answer["Message"])
        raise AssertionError("AWS did not refuse")

    def close(self) -> None:
        """Delete what the test made."""
        self._cleanup.close()

    def _delete(self, qualifier: str) -> None:
        try:
            self.lambda_.delete_provisioned_concurrency_config(FunctionName=self.function, Qualifier=qualifier)
        except self.lambda_.exceptions.ResourceNotFoundException:
            return  # the test deleted the alias itself, and the config went with it


class LocalAccount(Account):
    """The account of a server of this package, whose clock it drives."""

    def __init__(self, aws: LocalAws) -> None:
        aws.reset()
        aws.create_function(NAME, alias="")
        aws.publish_version(NAME)
        super().__init__(aws.session(), aws.endpoint_url, NAME)
        self._aws = aws

    def now(self) -> datetime:
        """The driven clock."""
        return self._aws.now()

    def pause(self, seconds: float) -> None:
        """Move the clock on."""
        self._aws.advance(seconds)


class RealAccount(Account):
    """The account of the environment's credentials."""

    def __init__(self, prefix: str) -> None:
        super().__init__(boto3.Session(), None, f"{prefix}-{NAME}")

    def now(self) -> datetime:
        """The machine's clock."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def real_account() -> RealAccount | None:
    """The real account that the environment names; None where it names none."""
    if os.environ.get("WARMCAST_REAL_AWS") != "1":
        return None
    return RealAccount(os.environ["WARMCAST_REAL_AWS_FUNCTION"])
