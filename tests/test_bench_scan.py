"""The scan's benchmark in small: it measures what it says, on a local AWS that enforces AWS's limits."""

from __future__ import annotations

from bench.scan.account import Size
from bench.scan.run import scan


def test_a_small_account_is_scanned_under_the_limits() -> None:
    """Eight functions in two Regions: a row each for those with capacity and the busy ones, nothing throttled."""
    took = scan(Size(functions=8, provisioned=2, busy=2), regions=("us-east-1", "eu-west-1"))
    assert took.rows == 4
    assert took.throttled == 0
    assert took.sent["lambda:ListProvisionedConcurrencyConfigs"] == 8
    assert all(rate.calls == 1 + 1 + 4 + 2 for rate in took.rates.values())
    assert all(0 < rate.most_per_s < 5 for rate in took.rates.values())
    assert 0 < took.fill <= 1
    assert took.metrics == 8 + 2 * 8 + 2 * 5 + 2 * (1 + 2 * 2)
    assert 0 < took.cpu_s < took.wall_s
    assert 20 < took.peak_mb < 500
