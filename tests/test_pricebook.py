"""The price book: where a price is from, what is missing, and what tiers and Savings Plans do to it."""

from __future__ import annotations

from datetime import date

import pytest

from warmcast.pricebook import METHOD, ListedPrice, PriceBook, Tier, from_price_list, listed
from warmcast.pricefile import parse
from warmcast.prices import AS_OF, unit_prices

TODAY = date(2026, 11, 21)


def products(region: str = "eu-west-1", prefix: str = "EU-", suffix: str = "", times: float = 1.0) -> list[ListedPrice]:
    """A Region's four products, each at the bundled price times a factor."""
    prices = unit_prices("eu-west-1", "x86_64")
    rows = [
        ("AWS-Lambda-Provisioned-Concurrency", "Lambda-Provisioned-Concurrency", prices.allocation_usd_per_gb_s),
        ("AWS-Lambda-Duration-Provisioned", "Lambda-Provisioned-GB-Second", prices.duration_usd_per_gb_s),
        ("AWS-Lambda-Duration", "Lambda-GB-Second", prices.on_demand_usd_per_gb_s),
        ("AWS-Lambda-Requests", "Request", prices.request_usd),
    ]
    return [
        ListedPrice(region, group + suffix, prefix + usage + suffix, (Tier(0, usd * times),))
        for group, usage, usd in rows
    ]


def book(*found: ListedPrice, regions: tuple[str, ...] = ("eu-west-1",)) -> PriceBook:
    """The book of these products."""
    return from_price_list(found, read_on=TODAY, regions=regions)


def test_the_bundled_table_shows_its_date() -> None:
    """It is the table of `warmcast.prices`, and says of when."""
    assert AS_OF in listed().source
    assert listed().of("eu-central-1", "x86_64") == unit_prices("eu-central-1", "x86_64")


def test_prices_of_the_price_list_are_taken_as_they_are() -> None:
    """Nothing is assumed, and the source has the day it was read."""
    found = book(*products(times=2), *products(suffix="-ARM", times=3))
    assert found.source == "AWS Price List, read 2026-11-21"
    assert found.of("eu-west-1", "x86_64").allocation_usd_per_gb_s == pytest.approx(2 * 0.0000046460)
    assert found.of("eu-west-1", "arm64").request_usd == pytest.approx(3 * 0.2e-6)
    assert not found.of("eu-west-1", "arm64").assumed
    assert found.notes == ()


def test_what_the_price_list_lacks_is_assumed_and_told() -> None:
    """A missing meter, and a Region without any product."""
    lacking = [product for product in products(times=2) if product.group != "AWS-Lambda-Requests"]
    found = book(*lacking, *products(suffix="-ARM"), regions=("eu-west-1", "mx-central-1"))
    prices = found.of("eu-west-1", "x86_64")
    assert prices.assumed
    assert prices.request_usd == unit_prices("eu-west-1", "x86_64").request_usd
    assert "eu-west-1 x86_64: request_usd" in found.notes[0]
    assert "mx-central-1: all of them" in found.notes[0]
    assert found.of("mx-central-1", "x86_64") == unit_prices("mx-central-1", "x86_64")


def test_unknown_products_are_passed_over() -> None:
    """Edge functions, storage, and whatever AWS adds; a second product of a group counts by its usage type only."""
    strange = [
        ListedPrice("eu-west-1", "AWS-Lambda-Edge-Duration", "EU-Lambda-Edge-GB-Second", (Tier(0, 9.0),)),
        ListedPrice("eu-west-1", "AWS-Lambda-Duration", "EU-Lambda-Quantum-Second", (Tier(0, 9.0),)),
        ListedPrice("eu-west-1", "", "", (Tier(0, 9.0),)),
    ]
    found = book(*strange, *products(), *products(suffix="-ARM"))
    assert found.of("eu-west-1", "x86_64") == unit_prices("eu-west-1", "x86_64")
    assert found.notes == ()


def test_two_prices_for_one_meter_are_none() -> None:
    """Which of them holds is not known, so the bundled price stands in, and that is told."""
    twice = [*products(), *products(suffix="-ARM"), products(times=2)[0]]
    found = book(*twice)
    assert found.of("eu-west-1", "x86_64").allocation_usd_per_gb_s == 0.0000046460
    assert "allocation_usd_per_gb_s" in found.notes[0]


@pytest.mark.parametrize(("monthly", "break_even"), [("1e9", 0.60), ("6e9", 0.79), ("14e9", 0.79), ("15e9", 1.154)])
def test_break_even_rises_with_the_tiers(monthly: str, break_even: float) -> None:
    """60%, 79%, above 100%: provisioned concurrency has no tiers, on-demand duration has."""
    file = parse(f"monthly_gb_s: {{x86_64: {monthly}}}".encode(), "p.yaml")
    found = listed().over(file)
    assert found.of("us-east-1", "x86_64").break_even == pytest.approx(break_even, abs=0.001)
    assert found.of("us-east-1", "arm64") == unit_prices("us-east-1", "arm64")
    assert "GB-s a month" in found.notes[-1]


def test_tiers_of_the_price_list_hold_where_it_was_read() -> None:
    """Those of eu-west-1 are not bundled."""
    tiered = [
        ListedPrice(each.region, each.group, each.usage_type, (*each.tiers, Tier(6e9, 1e-5)))
        if each.group == "AWS-Lambda-Duration"
        else each
        for each in products()
    ]
    file = parse(b"monthly_gb_s: {x86_64: 7e9}", "p.yaml")
    assert book(*tiered).over(file).of("eu-west-1", "x86_64").on_demand_usd_per_gb_s == 1e-5
    assert listed().over(file).of("eu-west-1", "x86_64") == unit_prices("eu-west-1", "x86_64")


def test_a_file_stands_over_what_is_under_it() -> None:
    """What it leaves out stays, tiers included; both sources are named."""
    text = "source: our agreement\nprices: [{region: us-east-1, architecture: x86_64, allocation_usd_per_gb_s: 4e-6}]"
    found = listed().over(parse(text.encode(), "p.yaml"))
    assert found.of("us-east-1", "x86_64").allocation_usd_per_gb_s == 4e-6
    assert found.of("us-east-1", "x86_64").request_usd == 0.2e-6
    assert len(found.entry("us-east-1", "x86_64").tiers) == 3
    assert found.source == f"our agreement over {listed().source}"


def test_ones_own_price_for_duration_takes_the_known_tiers_away() -> None:
    """They were of another price."""
    mine = "{region: us-east-1, architecture: x86_64, on_demand_usd_per_gb_s: 1.1e-5}"
    text = f"monthly_gb_s: {{x86_64: 9e9}}\nprices: [{mine}]"
    found = listed().over(parse(text.encode(), "p.yaml"))
    assert found.of("us-east-1", "x86_64").on_demand_usd_per_gb_s == 1.1e-5


def test_a_file_with_all_four_prices_leaves_nothing_assumed() -> None:
    """Of a Region that the bundled table does not know."""
    prices = "allocation_usd_per_gb_s: 4e-6, duration_usd_per_gb_s: 9e-6, request_usd: 2e-7"
    text = f"prices: [{{region: mx-central-1, architecture: arm64, {prices}, on_demand_usd_per_gb_s: 1e-5}}]"
    assert not listed().over(parse(text.encode(), "p.yaml")).of("mx-central-1", "arm64").assumed
    assert listed().of("mx-central-1", "arm64").assumed


def test_with_a_savings_plan_every_saving_has_its_note() -> None:
    """Its rates are what is paid, and what is not used is paid all the same."""
    text = (
        "savings_plan:\n  commitment_usd_per_hour: 12.5\n  rates:\n"
        "    - {region: us-east-1, architecture: x86_64, allocation_usd_per_gb_s: 3.67e-6}\n"
    )
    found = listed().over(parse(text.encode(), "p.yaml"))
    assert found.of("us-east-1", "x86_64").allocation_usd_per_gb_s == 3.67e-6
    assert "$12.50 an hour" in found.saving_note
    assert found.saving_note in found.notes
    assert listed().saving_note == ""


def test_the_method_does_not_claim_init_for_the_scan() -> None:
    """Only backtests and the logs know how long an init takes."""
    told = " ".join(METHOD.split())
    assert "Both sides of every comparison" not in told
    assert "The scan's own figures and verdicts leave init out on both sides" in told
    assert "init saved, where init is known" in told
