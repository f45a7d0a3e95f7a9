"""Prices: the table, its fallbacks, and what a unit costs."""

from __future__ import annotations

import math

import pytest

from warmcast.prices import FALLBACK_REGION, UnitPrices, unit_prices


@pytest.mark.parametrize(
    ("region", "percent"),
    [
        ("us-east-1", 60.0),
        ("us-west-1", 93.9),
        ("eu-west-1", 79.7),
        ("eu-central-1", 101),
        ("eu-north-1", 69.8),
        ("ap-southeast-2", 118),
        ("ap-northeast-1", 131),
        ("sa-east-1", 563),
        ("me-south-1", 58.5),
    ],
)
def test_break_even_is_as_published_per_region(region: str, percent: float) -> None:
    """The utilization above which provisioned concurrency is cheaper follows from the three prices of each Region."""
    assert unit_prices(region, "x86_64").break_even * 100 == pytest.approx(percent, rel=0.004)


@pytest.mark.parametrize(
    ("region", "usd"), [("us-east-1", 10.95), ("eu-west-2", 12.69), ("ap-east-1", 15.02), ("sa-east-1", 17.44)]
)
def test_a_gigabyte_for_a_month_costs_what_the_table_of_prices_says(region: str, usd: float) -> None:
    """1 GB x 730 hours of allocation comes to the published monthly figure."""
    assert unit_prices(region, "x86_64").usd_per_unit_hour(1024) * 730 == pytest.approx(usd, abs=0.006)


def test_an_unknown_region_gets_the_fallback_and_says_so() -> None:
    """A Region that the table lacks has us-east-1's prices, flagged as assumed."""
    unknown, fallback = unit_prices("xx-nowhere-1", "x86_64"), unit_prices(FALLBACK_REGION, "x86_64")
    assert unknown.assumed
    assert not fallback.assumed
    assert unknown.allocation_usd_per_gb_s == fallback.allocation_usd_per_gb_s


def test_arm64_is_known_in_us_east_1_and_assumed_elsewhere() -> None:
    """arm64 has its own prices in us-east-1; in other Regions it is four fifths of x86_64, flagged as assumed."""
    known, assumed = unit_prices("us-east-1", "arm64"), unit_prices("eu-west-1", "arm64")
    assert (known.allocation_usd_per_gb_s, known.assumed) == (0.0000033334, False)
    assert known.break_even == pytest.approx(0.60, abs=0.001)
    assert assumed.assumed
    assert assumed.duration_usd_per_gb_s == pytest.approx(
        0.8 * unit_prices("eu-west-1", "x86_64").duration_usd_per_gb_s
    )


def test_where_provisioned_duration_is_no_cheaper_there_is_no_break_even() -> None:
    """If an execution costs no less on provisioned concurrency, no utilization pays for it."""
    assert UnitPrices(1e-6, 2e-5, 2e-5, 2e-7).break_even == math.inf
