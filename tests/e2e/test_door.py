"""The wheel in an empty environment, used as a new user would: doctor, scan, report, import, backtest --from-aws."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localaws import LocalAws, RateLimit
from scanning.account import CASES, HOME, prepare_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
ACCOUNT = "135791357913"
KNOWN = {case.name: case.known for case in CASES if case.known is not None and case.region == HOME}
READS = re.compile(r"(Get|List|Describe)\w+|StartQuery|StopQuery")


@dataclass(frozen=True)
class Installed:
    """The command in an environment of its own, run in an empty folder."""

    command: Path
    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `warmcast` with these arguments."""
        return subprocess.run(  # noqa: S603 - the command under test
            [str(self.command), *arguments],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": str(self.folder), "COLUMNS": "120", **self.environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """The account with a function for every verdict."""
    now = datetime.now(UTC)
    with LocalAws(now, account=ACCOUNT, rate_limit=RateLimit.REAL) as local:
        prepare_account(local, now=now)
        local.clear_calls()
        yield local


@pytest.fixture(scope="module")
def warmcast(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed with the versions that the tests know and nothing else."""
    folder = tmp_path_factory.mktemp("door")
    wheel = _wheel(folder / "dist")
    venv.create(folder / "venv", with_pip=True)
    locked = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?(==[^\\\n]+)", locked, re.MULTILINE)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}{version}\n" for name, version in pins), encoding="utf-8")
    _pip(folder / "venv/bin/python", "install", "--constraint", str(constraints), str(wheel))
    empty = folder / "empty"
    empty.mkdir()
    return Installed(folder / "venv/bin/warmcast", empty, aws.environment())


def _wheel(folder: Path) -> Path:
    _pip(Path(sys.executable), "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([str(python), "-m", "pip", *arguments, "--quiet"], check=True, timeout=600)  # noqa: S603 - our own pip


def test_a_doctor_is_the_first_to_be_asked(warmcast: Installed) -> None:
    """All that a scan needs is allowed here."""
    done = warmcast.run("doctor", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lambda:ListProvisionedConcurrencyConfigs" in done.stdout


def test_a_scan_has_every_verdict_right(warmcast: Installed) -> None:
    """In one Region, by the known answers; the page, made of the same scan, names each alias with its verdict."""
    done = warmcast.run("scan", "--format", "json", "--out", "scan.json")
    assert done.returncode == 1, done.stderr
    record = json.loads((warmcast.folder / "scan.json").read_text(encoding="utf-8"))
    verdicts = {f"{row['function']}:{row['qualifier']}": row["verdict"] for row in record["rows"]}
    assert KNOWN
    assert {name: verdicts.get(name) for name in KNOWN} == {name: str(known.verdict) for name, known in KNOWN.items()}
    assert all(row["evidence"] for row in record["rows"])

    assert warmcast.run("report", "--from", "scan.json", "--out", "scan.html").returncode == 0
    page = (warmcast.folder / "scan.html").read_text(encoding="utf-8")
    assert all(name in page for name in KNOWN)
    assert not re.search(r"(src|href)=[\"']?https?:", page)


def test_what_auto_scaling_does_is_imported_and_good(warmcast: Installed) -> None:
    """`import` writes a policy that `validate` takes."""
    done = warmcast.run("import", "--out", "imported.yaml")
    assert done.returncode in {0, 1}, done.stderr
    assert "campaign-after-a-load-test" in (warmcast.folder / "imported.yaml").read_text(encoding="utf-8")
    assert warmcast.run("validate", "imported.yaml").returncode == 0


def test_an_aliass_own_history_is_replayed(warmcast: Installed) -> None:
    """What was actually run stands first, in dollars."""
    done = warmcast.run("backtest", "--from-aws", "basket-twice-too-high:live", "--days", "2", "--out", "own")
    assert done.returncode == 0, done.stderr
    record = json.loads((warmcast.folder / "own/summary.json").read_text(encoding="utf-8"))
    policies = record["policies"]
    assert next(iter(policies)) == "actual"
    # 60 units of 1 GB for two days at us-east-1's price
    assert policies["actual"]["allocation_usd"] == pytest.approx(60 * 2 * 86_400 * 0.0000041667, rel=0.01)
    assert policies["warmcast"]["allocation_usd"] < policies["actual"]["allocation_usd"]


def test_nothing_was_written_in_the_account(warmcast: Installed, aws: LocalAws) -> None:
    """All of it only reads."""
    assert warmcast.run("iam", "scan").returncode == 0
    operations = {name.rpartition(":")[2] for name in aws.calls()}
    assert operations
    assert [name for name in operations if not READS.fullmatch(name)] == []
