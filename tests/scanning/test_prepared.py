"""The prepared account is what its known answers say: every verdict is there, and its traffic is what was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
import numpy as np
import pytest

from scanning.account import CASES, REGIONS
from scanning.minutes import DAYS, LENGTH, Clockwork, erlang_b, steady, traffic
from textbook import naive_erlang_b as textbook_b
from warmcast.prices import unit_prices
from warmcast.scan.found import Verdict

TESTS = Path(__file__).parents[1]


def test_every_verdict_has_a_function() -> None:
    """And every function a name of its own in its Region."""
    assert {case.known.verdict for case in CASES if case.known} == set(Verdict)
    assert len({(case.region, case.function) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("capacity", "demand"), [(30, 20.0), (30, 40.0), (53, 40.0), (75, 60.0), (10, 4.0)])
def test_the_shares_that_spill_are_the_textbooks(capacity: int, demand: float) -> None:
    """Erlang's B of the amounts that the answers rest on."""
    assert erlang_b(capacity, np.array([demand]))[0] == pytest.approx(textbook_b(capacity, demand), rel=1e-9)


@pytest.mark.parametrize(("demand", "least"), [(20, 30), (40, 53), (60, 75), (1, 5)])
def test_the_amounts_are_the_least_that_keep_one_percent(demand: float, least: int) -> None:
    """One unit less spills more than that."""
    assert textbook_b(least, demand) <= 0.01 < textbook_b(least - 1, demand)


def test_a_unit_pays_for_itself_where_the_answers_say_so() -> None:
    """From 60% of its time in us-east-1, from 101% in Frankfurt, never in Sao Paulo."""
    shares = [unit_prices(region, "x86_64").break_even for region in ("us-east-1", "eu-central-1", "sa-east-1")]
    assert shares == pytest.approx([0.60, 1.01, 5.63], abs=0.01)
    month = unit_prices("us-east-1", "x86_64")
    assert month.usd_per_unit_hour(1024) * 730 == pytest.approx(10.95, abs=0.01)
    assert month.saving_usd_per_gb_s * 730 * 3600 == pytest.approx(18.25, abs=0.01)


def test_traffic_has_the_load_and_the_spillover_that_were_asked_for() -> None:
    """Little's law gives the demand back; of 40 on 30 units 27% spill; the peak lies above the mean, not far."""
    made = traffic(steady(40), np.random.default_rng(7), capacity=30)
    assert made.spilled is not None
    assert made.duration_ms.sum() / 60_000 / LENGTH == pytest.approx(40, rel=0.01)
    assert made.spilled.sum() / made.invocations.sum() == pytest.approx(textbook_b(30, 40.0), rel=0.01)
    assert 50 < np.median(made.concurrency) < 60


def test_requests_bind_before_concurrency_does() -> None:
    """600 requests a second of 10 ms on 15 units: 150 are served, with few of the units in use."""
    made = traffic(steady(6), np.random.default_rng(7), duration_s=0.01, capacity=15)
    assert made.spilled is not None
    assert made.in_use is not None
    assert made.spilled.sum() / made.invocations.sum() == pytest.approx(0.75, abs=0.01)
    assert np.median(made.in_use) < 0.6 * 15 < np.median(made.concurrency)


def test_a_reservation_throttles_what_is_above_it() -> None:
    """No more than 20 at once, and the rest refused."""
    made = traffic(steady(25), np.random.default_rng(7), reserved=20)
    assert made.throttles is not None
    assert made.concurrency.max() == 20
    lost = made.throttles.sum() / (made.throttles.sum() + made.invocations.sum())
    assert lost == pytest.approx(textbook_b(20, 25.0), rel=0.02)


def test_office_hours_are_those_of_the_week() -> None:
    """Ten hours of five days, wherever the fortnight begins."""
    first = int(datetime(2026, 11, 6, 12, tzinfo=UTC).timestamp()) // 60
    open_ = Clockwork(first).office(8, 18)
    assert open_.sum() == DAYS / 7 * 5 * 10 * 60
    at = [datetime.fromtimestamp((first + minute) * 60, UTC) for minute in np.flatnonzero(open_)[[0, -1]].tolist()]
    assert {instant.weekday() for instant in at} == {4}


def test_a_process_starts_with_the_account_and_says_what_to_export() -> None:
    """`python -m localaws --seed verdicts`: the variables lead any SDK to it."""
    command = [sys.executable, "-m", "localaws", "--port", "0", "--seed", "verdicts"]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            endpoint = json.loads(process.stdout.readline())["endpoint_url"]
            client = boto3.client(
                "lambda",
                region_name="us-east-1",
                endpoint_url=endpoint,
                aws_access_key_id="123456789012",
                aws_secret_access_key="test",
            )
            pages = client.get_paginator("list_functions").paginate()
            listed = {function["FunctionName"] for page in pages for function in page["Functions"]}
        finally:
            process.terminate()
        exported = process.stderr.read()
    assert listed == {case.function for case in CASES if case.region == "us-east-1"}
    assert f"export AWS_ENDPOINT_URL={endpoint}" in exported
    assert len(REGIONS) == 5
