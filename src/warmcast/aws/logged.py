"""Where and how a function writes its logs at one qualifier: a GetFunction call. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from warmcast.aws.answers import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Logged:
    """A function at a qualifier.

    Args:
        version: that the qualifier stands for now.
        log_group: that its lines go to.
        own_group: whether that is the function's own by default, which no other function writes to.
        quiet: whether its system log level leaves out the reports of invocations that went well.
    """

    function: str
    qualifier: str
    version: str
    runtime: str
    package: str
    memory_mb: int
    architecture: str
    timeout_s: float
    log_group: str
    own_group: bool
    quiet: bool

    @property
    def always_billed(self) -> bool:
        """Whether its init was billed with the invocation before 2025-08-01 too: custom runtimes and images."""
        return self.package == "Image" or self.runtime.startswith("provided")


class LoggedFunctions:
    """Asks Lambda for what `Logged` tells; raises AwsError."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def logged(self, function: str, qualifier: str) -> Logged:
        """The function at a qualifier."""
        with translated("GetFunction"):
            found = self._client.get_function(FunctionName=function, Qualifier=qualifier)["Configuration"]
            logging = found.get("LoggingConfig", {})
            usual = f"/aws/lambda/{found['FunctionName']}"
            group = logging.get("LogGroup") or usual
            return Logged(
                function=found["FunctionName"],
                qualifier=qualifier,
                version=found["Version"],
                runtime=found.get("Runtime", ""),
                package=found.get("PackageType", "Zip"),
                memory_mb=found["MemorySize"],
                architecture=(found.get("Architectures") or ["x86_64"])[0],
                timeout_s=float(found["Timeout"]),
                log_group=group,
                own_group=group == usual,
                quiet=logging.get("LogFormat") == "JSON" and logging.get("SystemLogLevel") == "WARN",
            )
