"""The command line without AWS: what it prints, and its exit codes (0 good, 1 finding, 2 usage, 3 bug)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest

from warmcast import __version__, cli
from warmcast.fleet.schema import schema_text

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
targets:
  - function: checkout-api
    qualifier: live
    capacity: {min: 2, max: 40}
"""

SUSPICIOUS = """\
targets:
  - function: checkout-api
    qualifier: live
    timezone: UTC
    capacity: {min: 2, max: 40}
    schedule:
      - {name: weekly, cron: "0 8 * * 1", for: 1h, min: 5}
"""

BAD = GOOD + "    colour: green\n"


def written(folder: Path, text: str, name: str = "fleet.yaml") -> str:
    """A policy file in a folder of its own."""
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_good_fleet_exits_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard output, the count on standard error."""
    assert cli.main(["validate", written(tmp_path, GOOD)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "1 good target, 0 errors, 0 warnings\n")


def test_a_bad_fleet_exits_1_with_a_line_per_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`file:line: error: key: message`, the message naming rule and value."""
    path = written(tmp_path, BAD)
    assert cli.main(["validate", path]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{path}:5: error: colour: ")


def test_warnings_fail_only_when_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A cron that AWS would read differently is legal but suspicious."""
    path = written(tmp_path, SUSPICIOUS)
    assert cli.main(["validate", path]) == 0
    assert ": warning: " in capsys.readouterr().out
    assert cli.main(["validate", "--strict", path]) == 1


def test_findings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: file, line, key, rule, value, message, severity."""
    path = written(tmp_path, BAD)
    assert cli.main(["validate", "--format", "json", path]) == 1
    result = json.loads(capsys.readouterr().out)
    (finding,) = result["findings"]
    assert (finding["file"], finding["line"], finding["key"], finding["severity"]) == (path, 5, "colour", "error")
    assert finding.keys() >= {"rule", "value", "message"}


def test_a_missing_path_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback; the path is named."""
    assert cli.main(["validate", str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert "nowhere" in out + err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "expected"),
    [([], 0), (["--strict"], 1), (["--region", "eu-west-1", "--strict"], 0), (["--region", "us-east-1"], 1)],
    ids=["unknown home", "unknown home, strictly", "at home", "elsewhere"],
)
def test_a_target_elsewhere_fails(
    tmp_path: Path, options: list[str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only targets of the Region that Warmcast runs in are managed, so far."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    path = written(tmp_path, GOOD + "    region: eu-west-1\n")
    assert cli.main(["validate", *options, path]) == expected


@pytest.mark.parametrize("named", ["    account: '123456789012'\n", None], ids=["a key", "an ARN"])
def test_a_policy_that_names_its_own_account_is_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    """Where only the Region is known, the account is not compared; once it is known, it is, and has no finding."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("WARMCAST_ACCOUNT", raising=False)
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:checkout-api"
    path = written(tmp_path, GOOD + named if named else GOOD.replace("checkout-api", arn))
    assert cli.main(["validate", path]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert ": warning: " in line
    assert line.endswith("pass --account to have it compared")
    assert cli.main(["validate", "--strict", "--account", "123456789012", path]) == 0
    assert cli.main(["validate", "--account", "210987654321", path]) == 1
    monkeypatch.setenv("WARMCAST_ACCOUNT", "210987654321")
    assert cli.main(["validate", path]) == 1


def test_a_tick_without_a_budget_is_wrong_usage_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """The stack has a budget that this command can't read; nothing is bought without one having been named."""
    assert cli.main(["tick", "--table", "control"]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "--budget-units none" in err
    assert "more than the account's owner allows" in err


@pytest.mark.parametrize("units", ["-1", "1.5", "many", "", "None"])
def test_a_budget_is_a_whole_number_or_none(units: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As the stack's parameter takes them."""
    assert cli.main(["tick", "--table", "control", "--budget-units", units]) == 2
    assert "neither a whole number nor the word none" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["validate", "--nonsense"], ["nonsense"], ["tick"], ["plan", "--hours", "0"]])
def test_wrong_usage_exits_2(
    argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the usage, and without a traceback."""
    monkeypatch.delenv("WARMCAST_TABLE", raising=False)
    assert cli.main(argv) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_bug_exits_3_and_says_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever nobody expected is ours, with the traceback to report."""

    @click.command("broken")
    def broken() -> None:
        """Break."""
        raise ZeroDivisionError

    cli.warmcast.add_command(broken)
    try:
        assert cli.main(["broken"]) == 3
    finally:
        del cli.warmcast.commands["broken"]
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "bug of ours" in err


def test_the_schema_is_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    """`warmcast schema` prints what is kept beside the policies."""
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


@pytest.mark.parametrize("command", ["validate", "schema", "plan", "tick"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence, and each option with its meaning."""
    assert cli.main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Usage: warmcast ")
    for parameter in cli.warmcast.commands[command].params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.type.name == "choice"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` exits 0."""
    assert cli.main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
