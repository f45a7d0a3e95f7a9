"""The command `report`: a file of a scan in, a file for people or programs out; no AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import scanned
from warmcast import cli
from warmcast.scan.record import record_of, scan_to_json

if TYPE_CHECKING:
    from pathlib import Path

RECORD = record_of(scanned.scan())


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A file of a scan."""
    path = tmp_path / "scan.json"
    path.write_text(scan_to_json(RECORD), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("page.html", "<!DOCTYPE html>"),
        ("page.HTM", "<!DOCTYPE html>"),
        ("report.md", "# Provisioned concurrency in 2 accounts"),
        ("report.csv", "account,region,function"),
        ("again.json", '{\n  "version": 1,'),
    ],
)
def test_the_ending_says_what_is_written(recorded: Path, name: str, begins: str) -> None:
    """Page, markdown, CSV or JSON."""
    out = recorded.parent / name
    assert cli.main(["report", "--from", str(recorded), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith(begins)


def test_json_comes_out_as_it_went_in(recorded: Path) -> None:
    """Byte for byte."""
    out = recorded.parent / "again.json"
    assert cli.main(["report", "--from", str(recorded), "--out", str(out)]) == 0
    assert out.read_bytes() == recorded.read_bytes()


def test_it_writes_to_standard_output_too(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a pipe: nothing but the report."""
    assert cli.main(["report", "--from", str(recorded), "--out", "-", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(RECORD.rows) + 1
    assert err == ""


def test_a_format_that_is_said_goes_before_the_ending(recorded: Path) -> None:
    """A file may be called whatever its reader likes."""
    out = recorded.parent / "report.txt"
    assert cli.main(["report", "--from", str(recorded), "--out", str(out), "--format", "markdown"]) == 0
    assert out.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "report.txt"], "the ending is none of .html, .htm, .md"),
        (["--out", "report.html", "--format", "pdf"], "'pdf' is not one of 'html', 'markdown', 'json', 'csv'"),
        ([], "Missing option '--out'"),
    ],
)
def test_wrong_usage_exits_2(
    recorded: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says which option."""
    assert cli.main(["report", "--from", str(recorded), *arguments]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_no_scan_exits_1(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Named with its key and rule; nothing is written."""
    body = json.loads(recorded.read_text(encoding="utf-8"))
    body["rows"][0]["verdict"] = "perhaps"
    recorded.write_text(json.dumps(body), encoding="utf-8")
    out = recorded.parent / "page.html"
    assert cli.main(["report", "--from", str(recorded), "--out", str(out)]) == 1
    assert f"{recorded}: rows.0.verdict: Input should be" in capsys.readouterr().err
    assert not out.exists()


def test_a_place_that_cannot_be_written_to_is_wrong_usage(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said at once, not after minutes of scanning."""
    out = recorded.parent / "nowhere" / "page.html"
    assert cli.main(["report", "--from", str(recorded), "--out", str(out)]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--days", "30"], ["--profile", "prod"], ["--region", "us-east-1"]])
def test_options_of_a_scan_are_refused_beside_a_file_of_one(
    recorded: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The file would be told as if it were what they ask for."""
    out = recorded.parent / "page.html"
    assert cli.main(["report", "--from", str(recorded), "--out", str(out), *option]) == 2
    assert f"{option[0]} is for a scan, and with --from none is made" in capsys.readouterr().err
    assert not out.exists()
