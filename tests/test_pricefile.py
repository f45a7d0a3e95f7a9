"""`--prices FILE`: every mistake is told with file, line, key, rule and value."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from warmcast.errors import PriceFileError
from warmcast.pricebook import Tier, listed
from warmcast.pricefile import parse

DOCS = Path(__file__).parents[1] / "docs"
ENTRY = "region: us-east-1, architecture: x86_64"
TIER = "{from_gb_s: 0, usd_per_gb_s: 1e-5}"


def findings(text: str) -> list[str]:
    """What is told of a bad file."""
    with pytest.raises(PriceFileError) as caught:
        parse(text.encode(), "p.yaml")
    return str(caught.value).splitlines()


def test_json_is_read_as_yaml_is() -> None:
    """The same file in both forms."""
    content = {"prices": [{"region": "us-east-1", "architecture": "x86_64", "request_usd": 2e-7}]}
    assert parse(json.dumps(content).encode(), "p") == parse(
        f"prices:\n  - {{{ENTRY}, request_usd: 2e-7}}".encode(), "p"
    )


def test_tiers_are_read_in_order() -> None:
    """The first is the price of on-demand duration."""
    tiers = "[{from_gb_s: 0, usd_per_gb_s: 2e-5}, {from_gb_s: 6e9, usd_per_gb_s: 1e-5}]"
    text = f"prices:\n  - {{{ENTRY}, tiers: {tiers}}}"
    change = parse(text.encode(), "p").prices["us-east-1", "x86_64"]
    assert change.tiers == (Tier(0, 2e-5), Tier(6e9, 1e-5))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prices: []", "p.yaml:1: error: prices: must be a list with at least one entry"),
        ("{}", "p.yaml:1: error: prices: must be a list of prices by Region and architecture, but is missing"),
        ("[1]", "p.yaml:1: error: file: must be a mapping with the keys"),
        ("price: 1", "did you mean prices?"),
        (f"prices:\n  - {{{ENTRY}}}", "p.yaml:2: error: prices[0]: must be an entry with at least one price"),
        ("prices:\n  - {region: us-east-1, request_usd: 1e-7}", "prices[0].architecture: must be one of x86_64, arm64"),
        (
            "prices:\n  - {region: moon, architecture: arm64, request_usd: 1e-7}",
            'a Region such as eu-west-1, but is "moon"',
        ),
        (f"prices:\n  - {{{ENTRY}, request_usd: 0.2}}", "a million requests? divide by 1,000,000"),
        (f"prices:\n  - {{{ENTRY}, allocation_usd_per_gb_s: 0.015}}", "is it the price of an hour? divide by 3,600"),
        (f"prices:\n  - {{{ENTRY}, request_usd: -1e-7}}", "must be from 0 to 0.001 USD a request, but is -1e-07"),
        (f"prices:\n  - {{{ENTRY}, request_usd: yes}}", 'must be a number of USD a request, but is "yes"'),
        (f"prices:\n  - {{{ENTRY}, request_usd: .nan}}", "must be a number of USD a request, but is nan"),
        (f"prices:\n  - {{{ENTRY}, request_usd: true}}", "must be a number of USD a request, but is true"),
        (
            f"prices:\n  - {{{ENTRY}, request_usd: 1e-7}}\n  - {{{ENTRY}, request_usd: 2e-7}}",
            "p.yaml:3: error: prices[1]: must be the only entry of its Region and architecture",
        ),
        (
            f"prices:\n  - {{{ENTRY}, tiers: [{{from_gb_s: 5, usd_per_gb_s: 1e-5}}]}}",
            "prices[0].tiers[0].from_gb_s: must be 0 in the first tier, but is 5",
        ),
        (
            f"prices:\n  - {{{ENTRY}, tiers: [{TIER}, {TIER}]}}",
            "prices[0].tiers[1].from_gb_s: must be above that of the tier before",
        ),
        (f"prices:\n  - {{{ENTRY}, tiers: [{{from_gb_s: 0}}]}}", "tiers[0].usd_per_gb_s: must be a number"),
        (
            f"prices:\n  - {{{ENTRY}, on_demand_usd_per_gb_s: 1e-5, tiers: [{TIER}]}}",
            "prices[0].tiers: must be given without on_demand_usd_per_gb_s",
        ),
        ("monthly_gb_s: {x86: 1}", "monthly_gb_s.x86: must be one of the keys x86_64, arm64"),
        ("monthly_gb_s: 5", "monthly_gb_s: must be a mapping"),
        (f"source: 5\nprices:\n  - {{{ENTRY}, request_usd: 1e-7}}", "p.yaml:1: error: source: must be text, but is 5"),
        ("savings_plan: {commitment_usd_per_hour: lots, rates: []}", "commitment_usd_per_hour: must be a number"),
        ("prices: &a [1]", "must be free of anchors"),
        ("prices: [", "must be YAML"),
        ("", "p.yaml:1: error: file: must be a mapping with the keys source, monthly_gb_s, prices, savings_plan"),
        ("# nothing but words", "file: must be a mapping"),
    ],
)
def test_a_mistake_is_told_where_it_stands(text: str, told: str) -> None:
    """File and line, key, rule and value; a hint where there is a likely reason."""
    assert any(told in line for line in findings(text)), findings(text)


def test_all_mistakes_are_told_at_once() -> None:
    """Each on its own line."""
    text = f"prices:\n  - {{{ENTRY}, request_usd: 1}}\n  - {{region: 5, architecture: arm64, request_usd: 1e-7}}"
    assert [line.split(": ")[2] for line in findings(text)] == ["prices[0].request_usd", "prices[1].region"]


def test_the_documented_file_is_one() -> None:
    """docs/prices.md shows what can be used as it stands."""
    (example,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "prices.md").read_text(encoding="utf-8"), re.DOTALL)
    file = parse(example.encode(), "prices.md")
    assert set(file.prices) == {("us-east-1", "x86_64"), ("eu-west-1", "x86_64")}
    assert listed().over(file).of("us-east-1", "x86_64").break_even == pytest.approx(0.79, abs=0.001)
    assert file.plan
