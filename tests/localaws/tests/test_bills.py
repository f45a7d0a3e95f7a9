"""The Price List and Cost Explorer, and access denied in one Region or account."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from warmcast.prices import unit_prices

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_ce.type_defs import ExpressionTypeDef
    from mypy_boto3_pricing import PricingClient

    from localaws import LocalAws


@pytest.fixture
def pricing(aws: LocalAws) -> PricingClient:
    """A client of the Price List."""
    return aws.session().client("pricing", region_name="us-east-1", endpoint_url=aws.endpoint_url)


@pytest.fixture
def costs(aws: LocalAws) -> CostExplorerClient:
    """A client of Cost Explorer; on the bill are two days of October and the first of November."""
    for day, usd in [(date(2026, 10, 1), 3.0), (date(2026, 10, 31), 4.0), (date(2026, 11, 1), 50.0)]:
        aws.enter_cost(day, usd, quantity=1000)
    aws.enter_cost(date(2026, 10, 5), 2.5, usage_type="EU-Lambda-Provisioned-Concurrency-ARM", region="eu-west-1")
    aws.enter_cost(date(2026, 10, 5), 100.0, usage_type="Lambda-GB-Second")
    aws.elsewhere(account="222233334444").enter_cost(date(2026, 10, 5), 7.0)
    return aws.session().client("ce", endpoint_url=aws.endpoint_url)


def products(client: PricingClient, **filters: str) -> list[dict[str, Any]]:
    """What the Price List has under these attributes."""
    wanted = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in filters.items()]
    pages = client.get_paginator("get_products").paginate(ServiceCode="AWSLambda", Filters=wanted)  # type: ignore[arg-type] # strings for literals
    return [json.loads(str(item)) for page in pages for item in page["PriceList"]]


def usd(product: dict[str, Any]) -> list[float]:
    """The prices of a product, tier by tier."""
    (term,) = product["terms"]["OnDemand"].values()
    tiers = sorted(term["priceDimensions"].values(), key=lambda tier: float(tier["beginRange"]))
    return [float(tier["pricePerUnit"]["USD"]) for tier in tiers]


def test_the_price_list_has_the_bundled_prices(pricing: PricingClient) -> None:
    """By Region and group, with the usage type's prefix, and ARM apart."""
    (product,) = products(pricing, regionCode="eu-west-1", group="AWS-Lambda-Provisioned-Concurrency")
    assert product["product"]["attributes"]["usagetype"] == "EU-Lambda-Provisioned-Concurrency"
    assert usd(product) == pytest.approx([unit_prices("eu-west-1", "x86_64").allocation_usd_per_gb_s], abs=1e-10)
    (arm,) = products(pricing, regionCode="us-east-1", group="AWS-Lambda-Duration-Provisioned-ARM")
    assert usd(arm) == [0.0000077778]


def test_on_demand_duration_has_three_tiers(pricing: PricingClient) -> None:
    """The second and third are cheaper; the last has no end."""
    (product,) = products(pricing, regionCode="us-east-1", group="AWS-Lambda-Duration")
    assert usd(product) == pytest.approx([0.0000166667, 0.000015, 0.0000133334], abs=1e-10)
    (term,) = product["terms"]["OnDemand"].values()
    assert {tier["endRange"] for tier in term["priceDimensions"].values()} == {"6000000000", "15000000000", "Inf"}


def test_all_products_come_in_pages_of_a_hundred(pricing: PricingClient) -> None:
    """Eight of each Region, JSON in strings."""
    found = products(pricing)
    assert len(found) == 24 * 8
    assert len({product["product"]["sku"] for product in found}) == len(found)


def test_a_price_can_be_changed_and_taken_off(aws: LocalAws, pricing: PricingClient) -> None:
    """As AWS might do overnight."""
    aws.change_price("us-east-1", "x86_64", "allocation_usd_per_gb_s", 0.000005)
    (product,) = products(pricing, regionCode="us-east-1", group="AWS-Lambda-Provisioned-Concurrency")
    assert usd(product) == [0.000005]
    aws.change_price("us-east-1", "x86_64", "allocation_usd_per_gb_s", None)
    assert products(pricing, regionCode="us-east-1", group="AWS-Lambda-Provisioned-Concurrency") == []


def test_costs_are_grouped_and_filtered_by_month(costs: CostExplorerClient) -> None:
    """The end of the period does not count, nor does another account's bill."""
    lambda_: ExpressionTypeDef = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS Lambda"]}}
    provisioned: ExpressionTypeDef = {
        "Dimensions": {"Key": "USAGE_TYPE", "Values": ["-GB-Second"], "MatchOptions": ["CONTAINS"]}
    }
    answer = costs.get_cost_and_usage(
        TimePeriod={"Start": "2026-10-01", "End": "2026-11-01"},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost", "UsageQuantity"],
        Filter={"And": [lambda_, {"Not": provisioned}]},
        GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
    )
    (month,) = answer["ResultsByTime"]
    amounts = {
        group.get("Keys", [""])[0]: float(group.get("Metrics", {})["UnblendedCost"].get("Amount", ""))
        for group in month.get("Groups", [])
    }
    assert amounts == {"EU-Lambda-Provisioned-Concurrency-ARM": 2.5, "Lambda-Provisioned-Concurrency": 7.0}


def test_costs_add_up_by_day_and_what_is_not_modelled_is_refused(costs: CostExplorerClient) -> None:
    """Days without a charge are there with nothing; a group by tag is refused."""
    answer = costs.get_cost_and_usage(
        TimePeriod={"Start": "2026-10-30", "End": "2026-11-02"}, Granularity="DAILY", Metrics=["UnblendedCost"]
    )
    totals = [float(day.get("Total", {})["UnblendedCost"].get("Amount", "")) for day in answer["ResultsByTime"]]
    assert totals == [0.0, 4.0, 50.0]
    with pytest.raises(ClientError, match="does not group costs by"):
        costs.get_cost_and_usage(
            TimePeriod={"Start": "2026-10-30", "End": "2026-11-02"},
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
            GroupBy=[{"Type": "TAG", "Key": "team"}],
        )


def test_both_are_found_at_their_own_endpoints_only(aws: LocalAws) -> None:
    """A client for the scanned Region is a mistake that would fail on AWS."""
    session = aws.session()
    with pytest.raises(ClientError, match="no endpoint in sa-east-1"):
        session.client("pricing", region_name="sa-east-1", endpoint_url=aws.endpoint_url).get_products(
            ServiceCode="AWSLambda"
        )


def test_one_region_or_account_can_be_denied(aws: LocalAws) -> None:
    """In each service's own words for it; the others go on."""
    aws.deny("lambda:*", region="eu-west-1")
    aws.deny("DescribeLogGroups", account="222233334444")
    denied = aws.session(region="eu-west-1").client("lambda", endpoint_url=aws.endpoint_url)
    with pytest.raises(ClientError) as caught:
        denied.list_functions()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "not authorized to perform: lambda:ListFunctions on resource" in caught.value.response["Error"]["Message"]
    aws.session().client("lambda", endpoint_url=aws.endpoint_url).list_functions()
    with pytest.raises(ClientError, match="logs:DescribeLogGroups"):
        aws.session(account="222233334444").client("logs", endpoint_url=aws.endpoint_url).describe_log_groups()
    aws.session().client("logs", endpoint_url=aws.endpoint_url).describe_log_groups()


def test_who_one_is_depends_on_the_credentials(aws: LocalAws) -> None:
    """An access key of twelve digits names the account."""
    for account in ("222233334444", "333344445555"):
        sts = aws.session(account=account).client("sts", endpoint_url=aws.endpoint_url)
        assert sts.get_caller_identity()["Account"] == account
