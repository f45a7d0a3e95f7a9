"""The Price List and Cost Explorer over the local AWS, and what is there without them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT
from scripted import Reply, Script, StepClock
from warmcast import cli
from warmcast.aws.costs import Costs
from warmcast.aws.pricing import ENDPOINT_REGION, Pricing, price_book
from warmcast.aws.readers import Readers, connect, make_readers
from warmcast.commands.pricing import billed, book_for
from warmcast.errors import PriceFileError
from warmcast.prices import unit_prices

if TYPE_CHECKING:
    from pathlib import Path

    from localaws import LocalAws

TODAY = date(2026, 3, 9)
HERE = ("us-east-1", "eu-west-1")


@pytest.fixture(scope="module")
def shared_readers(running_aws: LocalAws) -> Readers:
    """Making clients takes a while, so these tests share them."""
    return make_readers(region="eu-west-1", profile=None, endpoint_url=running_aws.endpoint_url, clock=StepClock())


@pytest.fixture
def readers(aws: LocalAws, shared_readers: Readers) -> Readers:
    """What a scan reads with: guarded, on the emptied local AWS."""
    del aws
    return shared_readers


@pytest.fixture
def pricing(readers: Readers) -> Pricing:
    """The reader of prices, at its endpoint."""
    return Pricing(readers.client("pricing", region=ENDPOINT_REGION))


@pytest.fixture
def costs(readers: Readers) -> Costs:
    """The reader of the bill, at its endpoint."""
    return Costs(readers.client("ce", region=ENDPOINT_REGION))


def test_the_price_list_has_both_architectures(aws: LocalAws, pricing: Pricing) -> None:
    """A price that changed since the table was made is read, and nothing is assumed."""
    aws.change_price("eu-west-1", "arm64", "allocation_usd_per_gb_s", 0.0000077)
    book = price_book(pricing, regions=HERE, today=TODAY)
    assert book.source == "AWS Price List, read 2026-03-09"
    assert book.of("eu-west-1", "arm64").allocation_usd_per_gb_s == 0.0000077
    assert book.of("us-east-1", "x86_64") == unit_prices("us-east-1", "x86_64")
    assert [tier.from_gb_s for tier in book.entry("eu-west-1", "x86_64").tiers] == [0, 6e9, 15e9]
    assert book.notes == ()


def test_a_region_takes_one_request(aws: LocalAws, pricing: Pricing) -> None:
    """And the same Region twice no more."""
    price_book(pricing, regions=(*HERE, *HERE), today=TODAY)
    assert sum(count for name, count in aws.calls().items() if name.endswith(":GetProducts")) == 2


def test_a_denied_price_list_falls_back_and_says_so(aws: LocalAws, pricing: Pricing) -> None:
    """Bundled prices, with what to allow."""
    aws.deny("pricing:GetProducts")
    book = price_book(pricing, regions=HERE, today=TODAY)
    assert book.of("eu-west-1", "x86_64") == unit_prices("eu-west-1", "x86_64")
    assert "bundled" in book.source
    assert "pricing:GetProducts" in book.notes[-1]


def test_an_endpoint_that_is_not_there_falls_back(script: Script, clock: StepClock) -> None:
    """Whatever answers there, it is no price list."""
    script.reply = Reply(body=b"<html>no such thing</html>")
    client = connect(region="us-east-1", profile=None, endpoint_url=script.url, clock=clock).client("pricing")
    book = price_book(Pricing(client), regions=HERE, today=TODAY)
    assert "bundled" in book.source
    assert "could not be read" in book.notes[-1]


def product(**attributes: str) -> dict[str, object]:
    """One product of the price list with a single price."""
    price = {"beginRange": "0", "endRange": "Inf", "unit": "x", "pricePerUnit": {"USD": "0.0000050000"}}
    return {
        "product": {"productFamily": "Serverless", "attributes": {"regionCode": "eu-west-1", **attributes}},
        "terms": {"OnDemand": {"T": {"priceDimensions": {"D": price}}}},
    }


def test_strange_products_are_left_out(script: Script, clock: StepClock) -> None:
    """No terms, other currencies, no Region, free ones, no JSON: each is passed over, the good one stays."""
    good = product(group="AWS-Lambda-Provisioned-Concurrency", usagetype="EU-Lambda-Provisioned-Concurrency")
    free = json.loads(
        json.dumps(product(group="AWS-Lambda-Requests", usagetype="Request")).replace("0.0000050000", "0")
    )
    yuan = json.loads(json.dumps(product()).replace("USD", "CNY"))
    odd = [{}, [], {"product": {}}, yuan, free, product(regionCode=""), {**product(), "terms": {}}]
    texts = ["", "{", *(json.dumps(each) for each in (*odd, good))]
    script.reply = Reply(body=json.dumps({"FormatVersion": "aws_v1", "PriceList": texts}).encode())
    client = connect(region="us-east-1", profile=None, endpoint_url=script.url, clock=clock).client("pricing")
    found = Pricing(client).products("eu-west-1")
    assert [each.group for each in found] == ["AWS-Lambda-Provisioned-Concurrency"]


def test_a_commands_book_has_the_file_over_the_price_list(readers: Readers, tmp_path: Path) -> None:
    """Both are named in the source."""
    path = tmp_path / "prices.yaml"
    path.write_text("prices: [{region: eu-west-1, architecture: x86_64, request_usd: 1e-7}]")
    book = book_for(readers, prices_file=path, regions=HERE, today=TODAY)
    assert book.of("eu-west-1", "x86_64").request_usd == 1e-7
    assert book.source == f"{path} over AWS Price List, read 2026-03-09"


def test_a_bad_file_is_told_before_aws_is_asked(aws: LocalAws, readers: Readers, tmp_path: Path) -> None:
    """Missing or wrong; nothing was read for nothing."""
    aws.clear_calls()
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(PriceFileError, match="can't be read"):
            book_for(readers, prices_file=path, regions=HERE, today=TODAY)
    assert not aws.calls()


def test_without_readers_the_bundled_table_holds() -> None:
    """For commands that run offline."""
    assert "bundled" in book_for(None, prices_file=None, regions=HERE, today=TODAY).source


def test_the_bill_is_that_of_the_last_full_month(aws: LocalAws, costs: Costs) -> None:
    """Allocation of both architectures in all Regions, by account; no duration, no other month."""
    aws.enter_cost(date(2026, 2, 1), 10.0)
    aws.enter_cost(date(2026, 2, 28), 5.0, usage_type="EU-Lambda-Provisioned-Concurrency-ARM", region="eu-west-1")
    aws.enter_cost(date(2026, 2, 28), 100.0, usage_type="Lambda-Provisioned-GB-Second")
    aws.enter_cost(date(2026, 2, 28), 100.0, usage_type="Lambda-GB-Second")
    aws.enter_cost(date(2026, 1, 31), 1000.0)
    aws.enter_cost(date(2026, 3, 1), 1000.0)
    bill = costs.last_month(TODAY)
    assert dict(bill.usd or {}) == {CHECKOUT.account: 15.0}
    assert (bill.month, bill.requests) == (date(2026, 2, 1), 1)
    assert "February 2026" in bill.note


def test_a_month_without_provisioned_concurrency_is_known_to_be_empty(aws: LocalAws, costs: Costs) -> None:
    """An empty bill is no missing one."""
    del aws
    assert costs.last_month(date(2026, 1, 1)).usd == {}
    assert costs.last_month(date(2026, 1, 1)).month == date(2025, 12, 1)
    assert costs.requests == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDeniedException", "allow ce:GetCostAndUsage"),
        ("DataUnavailableException", "about a day"),
        ("BillExpirationException", "BillExpirationException"),
    ],
)
def test_a_refused_bill_is_a_note(aws: LocalAws, costs: Costs, code: str, told: str) -> None:
    """And no figure."""
    aws.inject("ce:GetCostAndUsage", times=None, code=code, message="no")
    bill = costs.last_month(TODAY)
    assert bill.usd is None
    assert told in bill.note


def test_a_scan_asks_each_account_for_its_bill_once(
    aws: LocalAws, readers: Readers, clock: StepClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the Regions; what asking cost is told."""
    aws.enter_cost(date(2026, 2, 3), 12.5)
    other = make_readers(region="us-east-1", profile=None, endpoint_url=aws.endpoint_url, clock=clock)
    assert billed([readers, other], today=TODAY) == {CHECKOUT.account: 12.5}
    assert "1 request, billed at $0.01: $0.01" in capsys.readouterr().err


def test_a_refused_bill_is_told_and_left_out(
    aws: LocalAws, readers: Readers, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scan goes on without."""
    aws.deny("ce:GetCostAndUsage")
    assert billed([readers], today=TODAY) == {}
    assert "allow ce:GetCostAndUsage" in capsys.readouterr().err


@pytest.fixture
def laptop(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """The local AWS as the environment's."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return aws


def test_scan_has_the_bill_where_it_is_asked_for(laptop: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """`--cost-explorer`; without it nothing is asked, for each request costs."""
    last_month = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    laptop.enter_cost(last_month, 12.5)
    assert cli.main(["scan", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost_explorer_usd"] == {}
    assert not any(name.endswith(":GetCostAndUsage") for name in laptop.calls())
    assert cli.main(["scan", "--format", "json", "--cost-explorer"]) == 0
    assert json.loads(capsys.readouterr().out)["cost_explorer_usd"] == {CHECKOUT.account: 12.5}


def test_scans_figures_name_the_users_prices_and_their_savings_plan(
    laptop: LocalAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the figures in the record, and on standard error."""
    del laptop
    path = tmp_path / "prices.yaml"
    path.write_text("source: our plan\nsavings_plan: {commitment_usd_per_hour: 3}\nmonthly_gb_s: {x86_64: 7e9}")
    assert cli.main(["scan", "--format", "json", "--prices", str(path)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["prices_source"].startswith("our plan over AWS Price List, read ")
    assert "commitment that is paid and not used" in json.loads(out)["prices_source"]
    assert "prices: On-demand duration at the price of the tier" in err


def test_a_bad_file_of_prices_ends_scan_with_its_findings(
    laptop: LocalAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, no traceback."""
    del laptop
    path = tmp_path / "prices.yaml"
    path.write_text("prices: 5")
    assert cli.main(["scan", "--prices", str(path)]) == 1
    assert f"{path}:1: error: prices: must be a list with at least one entry, but is 5" in capsys.readouterr().err
