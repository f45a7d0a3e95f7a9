"""Everything that the local AWS remembers, by account and Region, and who answers which operation."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localaws import autoscaling_api, cloudwatch_api
from localaws.autoscaling_api import AutoScalingApi
from localaws.cloudwatch_api import CloudWatchApi
from localaws.faults import Faults, Journal, RateLimit, RateLimiter
from localaws.functions import Functions
from localaws.lambda_api import LambdaApi
from localaws.metrics import MetricStore
from localaws.provisioned import Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws.clock import Clock
    from localaws.wire import Call, Json, Place


@dataclass(frozen=True, slots=True)
class Services:
    """What we answer ourselves in one place."""

    functions: Functions
    lambda_: LambdaApi
    cloudwatch: CloudWatchApi
    autoscaling: AutoScalingApi


@dataclass(slots=True)
class World:
    """The whole of the local AWS's own state; `lock` is held around every answer.

    Args:
        clock: what all behaviour runs on.
        home: the account and Region of callers that name none.
        forget: drops moto's policies and scheduled actions of a scalable target.
        rate_limit: which clock Lambda's control-plane limit runs on.
        data_delay_s: how old a minute is when CloudWatch shows it first.
    """

    clock: Clock
    home: Place
    forget: Callable[[Place, str], None]
    rate_limit: RateLimit = RateLimit.OFF
    timing: Timing = field(default_factory=Timing)
    data_delay_s: float = 120.0
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    lock: threading.RLock = field(default_factory=threading.RLock)
    places: dict[Place, Services] = field(default_factory=dict)
    _limiters: dict[RateLimit, RateLimiter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._limiters = {
            RateLimit.REAL: RateLimiter(time.monotonic),
            RateLimit.DRIVEN: RateLimiter(lambda: self.clock.now().timestamp()),
        }

    def services(self, place: Place) -> Services:
        """The services of a place, empty at first."""
        if place not in self.places:
            functions = Functions(place)
            lambda_api = LambdaApi(functions, self.timing)
            cloudwatch = CloudWatchApi(MetricStore(), self.data_delay_s)
            autoscaling = AutoScalingApi(place, lambda_api, self.forget)
            self.places[place] = Services(functions, lambda_api, cloudwatch, autoscaling)
        return self.places[place]

    def answer(self, call: Call) -> Json | None:
        """The answer to an operation that is ours; None where it is moto's.

        Raises:
            ApiError: AWS's answer where it says no.
        """
        with self.lock:
            services = self.services(call.place)
            match call.service:
                case "lambda":
                    if self.rate_limit is not RateLimit.OFF:
                        self._limiters[self.rate_limit].admit(call)
                    return services.lambda_.answer(call)
                case "cloudwatch" if call.operation in cloudwatch_api.OPERATIONS:
                    return services.cloudwatch.answer(call)
                case "application-autoscaling":
                    return _answer_autoscaling(services.autoscaling, call)
                case _:
                    return None


def _answer_autoscaling(api: AutoScalingApi, call: Call) -> Json | None:
    tags = "ResourceARN" in call.params
    if not tags and call.params.get("ServiceNamespace") != autoscaling_api.NAMESPACE:
        return None
    if call.operation in autoscaling_api.NEED_A_TARGET:
        api.check_target(call)
    return api.answer(call) if call.operation in autoscaling_api.OPERATIONS else None
