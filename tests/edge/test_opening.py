"""Places that can't be opened: a Region that is none, no credentials, no network; each is told with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builders import CHECKOUT
from warmcast import cli
from warmcast.commands.estimating import cents

if TYPE_CHECKING:
    from pathlib import Path

    from localaws import LocalAws

API = f"{CHECKOUT.function}:{CHECKOUT.qualifier}"
WITH_AN_IDENTITY = ["scan", "scan --estimate", "report --out page.html", "import", f"backtest --from-aws {API} --out o"]
"""Commands that need AWS."""


@pytest.fixture
def laptop(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """An account with one function, and an empty folder to work in."""
    aws.create_function(CHECKOUT.function)
    aws.clear_calls()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("AWS_REGION", CHECKOUT.region)
    return aws


@pytest.mark.parametrize("line", WITH_AN_IDENTITY)
def test_a_region_that_there_is_not_is_refused_with_the_nearest_first(
    laptop: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
) -> None:
    """Wrong usage, before AWS is asked anything; nothing is written."""
    assert cli.main([*line.split(), "--region", "us-esat-1"]) == 2
    assert "knows no Region us-esat-1: did you mean us-east-1 or" in " ".join(capsys.readouterr().err.split())
    assert laptop.calls() == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", [line for line in WITH_AN_IDENTITY if line != "scan"])
def test_without_credentials_every_command_says_how_to_get_some(
    laptop: LocalAws,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    line: str,
) -> None:
    """No bare code, no empty table, no page about nothing."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert cli.main(line.split()) == 1
    out, err = capsys.readouterr()
    assert "NoCredentialsError" in err
    assert "`aws configure sso`" in err
    assert out == ""
    assert laptop.calls() == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["scan --estimate", "report --out page.html"])
def test_without_a_region_nothing_is_estimated_or_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    """What to set is all that is said."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 1
    out, err = capsys.readouterr()
    assert (out, err.strip().removeprefix("warmcast: ")) == (
        "",
        "no Region: set AWS_REGION, or one in the profile, or pass --region",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["scan", "scan --estimate", "report --out page.html"])
def test_a_file_of_prices_that_is_none_is_refused_before_aws_is_asked(
    laptop: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str
) -> None:
    """With the key at fault, also where no price is needed."""
    prices = tmp_path / "typo.yaml"
    prices.write_text("pricse: []\n", encoding="utf-8")
    assert cli.main([*line.split(), "--prices", str(prices)]) == 1
    assert "typo.yaml:1: error: pricse" in capsys.readouterr().err
    assert laptop.calls() == {}
    assert list(tmp_path.iterdir()) == [prices]


def test_an_import_over_a_file_that_exists_is_refused_before_aws_is_asked(
    laptop: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And the file stays as it was."""
    out = tmp_path / "mine.yaml"
    out.write_text("mine", encoding="utf-8")
    assert cli.main(["import", "--out", str(out)]) == 2
    assert "exists, and is not overwritten" in " ".join(capsys.readouterr().err.split())
    assert laptop.calls() == {}
    assert out.read_text(encoding="utf-8") == "mine"


def test_an_estimate_names_every_region_whole_with_a_total(
    laptop: LocalAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 80 columns: the account once, a denied Region in a row of its own, amounts under a cent called so."""
    monkeypatch.setenv("COLUMNS", "80")
    laptop.deny("lambda:ListFunctions", region="ap-southeast-2")
    regions = (CHECKOUT.region, "ap-southeast-1", "ap-southeast-2")
    assert cli.main(["scan", "--estimate", *(word for each in regions for word in ("--region", each))]) == 1
    out, err = capsys.readouterr()
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert rows["account"] == ["account", CHECKOUT.account]
    assert out.count(CHECKOUT.account) == 1
    assert rows[CHECKOUT.region][1] == "1"
    assert rows["ap-southeast-1"][1:4] == ["0", "0", "$0"]
    assert rows["ap-southeast-2"][1:] == ["not", "known"]
    assert rows["total"][1] == "1"
    assert "under $0.01" in out
    assert "What could not be read is not in the total." in " ".join(out.split())
    assert "AccessDenied" in err


def test_an_amount_below_a_cent_is_not_nothing() -> None:
    """Nothing is `$0`, and what is less than a cent is called that."""
    assert [cents(usd) for usd in (0.0, 0.00012, 0.0149, 1234.5)] == ["$0", "under $0.01", "$0.01", "$1,234.50"]
