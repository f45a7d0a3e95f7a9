"""Probes: each read of a command once, as cheaply as AWS lets it be asked. Reads only, behind the readers' guard.

A call that has to name something takes the first one there is. An answer that the thing does not exist is an answer:
AWS looks at permissions first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from warmcast.aws import costs, pricing
from warmcast.aws.answers import translated
from warmcast.aws.autoscaling import NAMESPACE
from warmcast.errors import AwsError
from warmcast.model import AccountLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from warmcast.aws.readers import Connection
    from warmcast.permissions import Read

_ABSENT: Final = frozenset({"ResourceNotFoundException", "InvalidParameterException"})
_QUERY: Final = "fields @timestamp | limit 1"
_LAMBDA_LOGS: Final = "/aws/lambda/"
_NAMESPACE: Final = {"ServiceNamespace": NAMESPACE}
_ONE: Final = {"MaxResults": 1}


class UntriedError(Exception):
    """There is nothing to try it on; the message says what lacks."""


class Probes:
    """Tries reads of one account's Region, one after another; what one finds the next may use.

    Args:
        connection: to the account.
        now: the present instant, for spans of time.
        function: to try on; empty: the first one there is.
        table: the control table; empty: it is not tried.
        paid: whether to try what AWS charges for.

    Attributes:
        identity: who asks, once STS said so.
        limits: the account's concurrency, once it was answered.
    """

    def __init__(
        self, connection: Connection, *, now: datetime, function: str = "", table: str = "", paid: bool = False
    ) -> None:
        self._connection = connection
        self._now = now
        self._named = function
        self._table = table
        self._paid = paid
        self._clients: dict[str, Any] = {}
        self._seen: dict[str, str] = {}
        self.identity = ""
        self.limits: AccountLimits | None = None
        self._tries: dict[str, Callable[[], str]] = {
            "sts.GetCallerIdentity": self._who,
            "lambda.ListFunctions": self._functions,
            "lambda.GetAccountSettings": self._account,
            "lambda.ListProvisionedConcurrencyConfigs": self._provisioned,
            "lambda.ListAliases": self._aliases,
            "lambda.GetFunction": self._function,
            "lambda.ListTags": self._tags,
            "lambda.GetAlias": self._alias,
            "cloudwatch.GetMetricData": self._metrics,
            "application-auto-scaling.DescribeScalableTargets": self._targets,
            "application-auto-scaling.DescribeScalingPolicies": self._policies,
            "application-auto-scaling.DescribeScheduledActions": self._scheduled,
            "application-auto-scaling.DescribeScalingActivities": self._activities,
            "application-auto-scaling.ListTagsForResource": self._target_tags,
            "pricing.GetProducts": self._prices,
            "cost-explorer.GetCostAndUsage": self._bill,
            "cloudwatch-logs.DescribeLogGroups": self._log_groups,
            "cloudwatch-logs.StartQuery": self._start_query,
            "cloudwatch-logs.GetQueryResults": self._query_results,
            "cloudwatch-logs.StopQuery": self._stop_query,
            "dynamodb.Query": self._remembered,
        }

    def attempt(self, read: Read) -> str:
        """Try one read and say what was seen.

        Raises:
            AwsError: AWS refused it.
            UntriedError: there is nothing to try it on.
        """
        with translated(read.name):
            return self._tries[read.operation]()

    def _client(self, service: str, region: str = "") -> Any:  # noqa: ANN401 - as boto3 has it
        if service not in self._clients:
            self._clients[service] = self._connection.client(service, region=region)
        return self._clients[service]

    # --- Lambda --------------------------------------------------------------------------------------------------

    def _who(self) -> str:
        answer = self._client("sts").get_caller_identity()
        self.identity = str(answer["Arn"])
        return f"account {answer['Account']}, as {self.identity}"

    def _functions(self) -> str:
        listed = self._client("lambda").list_functions(MaxItems=1)["Functions"]
        self._seen["function"] = listed[0]["FunctionName"] if listed else ""
        return f"the first is {self._seen['function']}" if listed else "there is no function here"

    def _account(self) -> str:
        limit = self._client("lambda").get_account_settings()["AccountLimit"]
        self.limits = AccountLimits(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])
        return "answered"

    def _a_function(self) -> str:
        """The function to try on: the one that was named, or the first."""
        if self._named:
            return self._named
        if "function" not in self._seen:
            try:
                with translated("ListFunctions"):
                    self._functions()
            except AwsError as error:
                raise UntriedError("no function is known: name one with --function") from error
        return self._first("function", "there is no function here to try it on")

    def _first(self, what: str, otherwise: str) -> str:
        if not self._seen.get(what):
            raise UntriedError(otherwise)
        return self._seen[what]

    def _provisioned(self) -> str:
        name = self._a_function()
        self._client("lambda").list_provisioned_concurrency_configs(FunctionName=name, MaxItems=1)
        return f"tried on {name}"

    def _aliases(self) -> str:
        name = self._a_function()
        self._client("lambda").list_aliases(FunctionName=name, MaxItems=1)
        return f"tried on {name}"

    def _function(self) -> str:
        name = self._a_function()
        refused = self._client("lambda").get_function(FunctionName=name).get("TagsError")
        self._seen["tags"] = refused["ErrorCode"] if refused else "read"
        return f"tried on {name}"

    def _tags(self) -> str:
        """Told by what GetFunction answered: tags, or why there are none."""
        seen = self._first("tags", "GetFunction would have told")
        if seen != "read":
            raise AwsError(seen, "GetFunction came without tags", "ListTags")
        return "GetFunction came with tags"

    def _alias(self) -> str:
        name = self._a_function()
        return self._allowed(lambda: self._client("lambda").get_alias(FunctionName=name, Name="live"), name)

    def _allowed(self, call: Callable[[], object], on: str) -> str:
        """Try a call that names what may not exist."""
        try:
            call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
        return f"tried on {on}"

    # --- CloudWatch, Application Auto Scaling --------------------------------------------------------------------

    def _metrics(self) -> str:
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations"}
        stat = {"Metric": metric, "Period": 3600, "Stat": "Sum"}
        hour = self._now.replace(minute=0, second=0, microsecond=0)
        self._client("cloudwatch").get_metric_data(
            MetricDataQueries=[{"Id": "q0", "MetricStat": stat}], StartTime=hour - timedelta(hours=1), EndTime=hour
        )
        return "one series of one hour"

    def _targets(self) -> str:
        answer = self._client("application-autoscaling").describe_scalable_targets(**_NAMESPACE, **_ONE)
        targets = answer["ScalableTargets"]
        self._seen["target"] = targets[0].get("ScalableTargetARN", "") if targets else ""
        return f"the first is {targets[0]['ResourceId']}" if targets else "there is none"

    def _policies(self) -> str:
        found = self._client("application-autoscaling").describe_scaling_policies(**_NAMESPACE, **_ONE)
        return _some(found["ScalingPolicies"])

    def _scheduled(self) -> str:
        found = self._client("application-autoscaling").describe_scheduled_actions(**_NAMESPACE, **_ONE)
        return _some(found["ScheduledActions"])

    def _activities(self) -> str:
        found = self._client("application-autoscaling").describe_scaling_activities(**_NAMESPACE, **_ONE)
        return _some(found["ScalingActivities"])

    def _target_tags(self) -> str:
        arn = self._first("target", "there is no scalable target to try it on")
        self._client("application-autoscaling").list_tags_for_resource(ResourceARN=arn)
        return f"tried on {arn.rpartition(':')[2]}"

    # --- prices and bills ----------------------------------------------------------------------------------------

    def _prices(self) -> str:
        client = self._client("pricing", pricing.ENDPOINT_REGION)
        return _some(client.get_products(ServiceCode=pricing.SERVICE_CODE, MaxResults=1)["PriceList"])

    def _bill(self) -> str:
        if not self._paid:
            raise UntriedError(f"AWS charges ${costs.USD_PER_REQUEST:.2f} a request: --cost-explorer tries it")
        period = {"Start": f"{self._now - timedelta(days=2):%Y-%m-%d}", "End": f"{self._now:%Y-%m-%d}"}
        client = self._client("ce", costs.ENDPOINT_REGION)
        client.get_cost_and_usage(TimePeriod=period, Granularity="DAILY", Metrics=[costs.METRIC])
        return f"one request, ${costs.USD_PER_REQUEST:.2f}"

    # --- logs ----------------------------------------------------------------------------------------------------

    def _log_groups(self) -> str:
        found = self._client("logs").describe_log_groups(logGroupNamePrefix=_LAMBDA_LOGS, limit=1)["logGroups"]
        self._seen["group"] = found[0]["logGroupName"] if found else ""
        return f"the first is {self._seen['group']}" if found else f"there is none under {_LAMBDA_LOGS}"

    def _start_query(self) -> str:
        """A query over one second: AWS charges by what it scans."""
        group, end = self._first("group", "there is no log group to try it on"), int(self._now.timestamp())
        answer = self._client("logs").start_query(
            logGroupName=group, startTime=end - 1, endTime=end, queryString=_QUERY, limit=1
        )
        self._seen["query"] = answer["queryId"]
        return f"one second of {group}"

    def _query_results(self) -> str:
        query = self._first("query", "no query was started")
        return f"the query is {self._client('logs').get_query_results(queryId=query)['status']}"

    def _stop_query(self) -> str:
        query = self._first("query", "no query was started")
        return self._allowed(lambda: self._client("logs").stop_query(queryId=query), "that query")

    # --- the control table ---------------------------------------------------------------------------------------

    def _remembered(self) -> str:
        if not self._table:
            raise UntriedError("no control table is known: name it with --table")
        self._client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "doctor"}},
            Limit=1,
        )
        return f"tried on {self._table}"


def _some(found: Sequence[object]) -> str:
    return "there are some" if found else "there is none"
