"""Servers and accounts for the local AWS's own tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from localaws import LocalAws
from localaws.conformance import Account, LocalAccount, real_account

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAws]:
    """One server for a module's tests, under an account of its own."""
    with LocalAws(START, account="777788889999") as aws:
        yield aws


@pytest.fixture
def aws(server: LocalAws) -> LocalAws:
    """A server without resources, its clock at the start and its settings as they come."""
    server.reset()
    server.clock.set(START)
    server.configure(
        lead_time_s=120,
        failure_s=240,
        shift_s=420,
        decrease_s=0,
        account_concurrency=1000,
        data_delay_s=120,
        rate_limit="off",
    )
    return server


@pytest.fixture(params=["local", pytest.param("real", marks=pytest.mark.aws)])
def account(request: pytest.FixtureRequest, server: LocalAws) -> Iterator[Account]:
    """The account under test: always the local one, and a real one where the environment names it."""
    under_test: Account | None = LocalAccount(server) if request.param == "local" else real_account()
    if under_test is None:
        pytest.skip("set WARMCAST_REAL_AWS=1 and WARMCAST_REAL_AWS_FUNCTION=<prefix> to ask a real account")
    yield under_test
    under_test.close()
