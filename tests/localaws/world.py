"""Everything that the local AWS remembers, by account and Region, and who answers which operation."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localaws import autoscaling_api, autoscaling_rules, cloudwatch_api, costs_api, logs_api, price_list
from localaws.autoscaling_api import AutoScalingApi
from localaws.cloudwatch_api import CloudWatchApi
from localaws.costs_api import CostsApi
from localaws.faults import Faults, Journal, RateLimit, RateLimiter
from localaws.functions import Functions
from localaws.lambda_api import LambdaApi
from localaws.logs_api import LogsApi
from localaws.metrics import MetricStore
from localaws.price_list import PriceList
from localaws.provisioned import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from localaws.clock import Clock
    from localaws.wire import Call, Json, Place


@dataclass(frozen=True, slots=True)
class Services:
    """What we answer ourselves in one place."""

    functions: Functions
    lambda_: LambdaApi
    cloudwatch: CloudWatchApi
    autoscaling: AutoScalingApi
    logs: LogsApi


@dataclass(slots=True)
class World:
    """The whole of the local AWS's own state; `lock` is held around every answer.

    Args:
        clock: what all behaviour runs on.
        home: the account and Region of callers that name none.
        rate_limit: which clock Lambda's control-plane limit runs on.
        data_delay_s: how old a minute is when CloudWatch shows it first.
    """

    clock: Clock
    home: Place
    rate_limit: RateLimit = RateLimit.OFF
    timing: Timing = field(default_factory=Timing)
    data_delay_s: float = 120.0
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    lock: threading.RLock = field(default_factory=threading.RLock)
    places: dict[Place, Services] = field(default_factory=dict)
    prices: PriceList = field(default_factory=PriceList)
    costs: CostsApi = field(default_factory=CostsApi)
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
            autoscaling = AutoScalingApi(place, lambda_api)
            self.places[place] = Services(functions, lambda_api, cloudwatch, autoscaling, LogsApi(place))
        return self.places[place]

    def answer(self, call: Call) -> Json | None:
        """The answer to an operation that is ours; None where it is moto's.

        Raises:
            ApiError: AWS's answer where it says no.
        """
        with self.lock:
            services = self.services(call.place)
            if call.service == "lambda":
                if self.rate_limit is not RateLimit.OFF:
                    self._limiters[self.rate_limit].admit(call)
                return services.lambda_.answer(call)
            if call.service == "application-autoscaling":
                return _answer_autoscaling(services.autoscaling, call)
            return self._answer_some(services, call)

    def _answer_some(self, services: Services, call: Call) -> Json | None:
        """The services of which only a part is ours."""
        ours: Mapping[str, tuple[frozenset[str], Callable[[Call], Json]]] = {
            "cloudwatch": (cloudwatch_api.OPERATIONS, services.cloudwatch.answer),
            "logs": (logs_api.OPERATIONS, services.logs.answer),
            "pricing": (price_list.OPERATIONS, self.prices.answer),
            "ce": (costs_api.OPERATIONS, self.costs.answer),
        }
        operations, answer = ours.get(call.service, (frozenset(), None))
        return answer(call) if answer is not None and call.operation in operations else None


def _answer_autoscaling(api: AutoScalingApi, call: Call) -> Json | None:
    tags = "ResourceARN" in call.params
    if not tags and call.params.get("ServiceNamespace") != autoscaling_rules.NAMESPACE:
        return None
    return api.answer(call) if call.operation in autoscaling_api.OPERATIONS else None
