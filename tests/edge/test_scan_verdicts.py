"""`warmcast scan` on the prepared account, over HTTP: every verdict, amount, USD and evidence, and no write call."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from localaws import LocalAws, RateLimit
from scanning.account import CASES, CONCURRENCY, DENIED_REGION, FULL_REGION, REGIONS, prepare_account
from warmcast import cli
from warmcast.scan.found import Pressure
from warmcast.scan.record import ConcurrencyRecord, Row, ScanRecord, scan_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanning.known import Case

ACCOUNT = "246802468024"
KNOWN = [case for case in CASES if case.known is not None]
READS = re.compile(r"(Get|List|Describe)\w+|StartQuery|StopQuery")


@pytest.fixture(scope="module")
def account(environment: None) -> Iterator[LocalAws]:
    """The prepared account, its clock standing at the real time: the command has no other."""
    del environment
    now = datetime.now(UTC)
    with LocalAws(now, account=ACCOUNT, rate_limit=RateLimit.REAL) as aws:
        prepare_account(aws, now=now)
        aws.clear_calls()
        yield aws


@pytest.fixture(scope="module")
def scan(account: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> ScanRecord:
    """What the command says of it, read as any program would."""
    out: Path = tmp_path_factory.mktemp("scan") / "scan.json"
    regions = [part for region in REGIONS for part in ("--region", region)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment().items():
            patch.setenv(name, value)
        assert cli.main(["scan", *regions, "--out", str(out)]) == 1
    return scan_from_json(out.read_text(encoding="utf-8"), source=str(out))


def row_of(scan: ScanRecord, case: Case) -> Row:
    """The row of a case."""
    (row,) = [row for row in scan.rows if (row.place.region, row.name) == (case.region, case.name)]
    return row


def limit_of(scan: ScanRecord, region: str, function: str) -> ConcurrencyRecord:
    """The row of a reservation, or of the account's own limit in a Region."""
    (row,) = [row for row in scan.concurrency if (row.place.region, row.function) == (region, function)]
    return row


@pytest.mark.parametrize("case", KNOWN, ids=[case.function for case in KNOWN])
def test_the_verdict_is_the_known_answer(scan: ScanRecord, case: Case) -> None:
    """With its amount, its owner, and what following it changes of the bill."""
    row, known = row_of(scan, case), case.known
    assert known is not None
    assert row.verdict == known.verdict, known.why
    assert row.owner == known.owner
    least, most = known.monthly_usd
    assert least <= round(row.change_monthly_usd, 2) <= most, known.why
    if known.amount is not None:
        assert row.amount is not None
        assert known.amount[0] <= row.amount <= known.amount[1], known.why


@pytest.mark.parametrize("case", KNOWN, ids=[case.function for case in KNOWN])
def test_no_verdict_is_without_its_evidence(scan: ScanRecord, case: Case) -> None:
    """The facts that the answer rests on are told, each with its source, and what to do about it."""
    row, known = row_of(scan, case), case.known
    assert known is not None
    assert row.evidence
    assert all(fact.text and fact.source for fact in row.evidence)
    told = "\n".join([*(fact.text for fact in row.evidence), row.todo])
    missing = [pattern for pattern in known.mentions if not re.search(pattern, told, re.IGNORECASE)]
    assert not missing, told


@pytest.mark.parametrize("case", [case for case in CONCURRENCY if case.pressure], ids=lambda case: str(case.function))
def test_reservations_get_a_word_of_their_own(scan: ScanRecord, case: Case) -> None:
    """Raise the one that throttles; the one that is hardly used keeps concurrency from others."""
    assert limit_of(scan, case.region, case.function).pressure == case.pressure


def test_an_account_close_to_its_limit_is_told_to_ask_for_more(scan: ScanRecord) -> None:
    """860 at a time of 1,000, every night; the Region beside it is fine."""
    assert limit_of(scan, FULL_REGION, "").pressure is Pressure.QUOTA
    assert limit_of(scan, "sa-east-1", "").pressure is Pressure.FINE


def test_a_denied_region_is_a_row_and_not_the_end(scan: ScanRecord) -> None:
    """With AWS's words for what is lacking, and how to mend it; the other Regions have all their rows."""
    (denial,) = [denial for denial in scan.denials if denial.place.region == DENIED_REGION]
    assert (denial.operation, denial.code) == ("ListFunctions", "AccessDeniedException")
    assert "lambda:ListFunctions" in denial.fix
    assert {row.place.region for row in scan.rows} == set(REGIONS) - {DENIED_REGION}


def test_nothing_was_written(scan: ScanRecord, account: LocalAws) -> None:
    """Every call that arrived only reads; what stands is what stood."""
    assert scan.rows
    operations = {name.rpartition(":")[2] for name in account.calls()}
    assert [name for name in operations if not READS.fullmatch(name)] == []


def test_the_money_adds_up(scan: ScanRecord) -> None:
    """What the verdicts save and cost is the sum of their rows; no figure is without its prices' source."""
    changes = [row.change_monthly_usd for row in scan.rows]
    assert scan.money.saves_monthly_usd == pytest.approx(-sum(usd for usd in changes if usd < 0))
    assert scan.money.costs_monthly_usd == pytest.approx(sum(usd for usd in changes if usd > 0))
    assert scan.prices_source
