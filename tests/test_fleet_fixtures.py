"""Folders of good and bad policy files: every bad one has beside it, word for word, what must be said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from warmcast.fleet import Fleet, Home, load_fleet
from warmcast.fleet.findings import Severity

DATA = Path(__file__).parent / "data" / "fleet"
HOME = Home("123456789012", "eu-west-1")
BAD = sorted(path for path in (DATA / "bad").iterdir() if path.suffix != ".expected")
GOOD = sorted((DATA / "good").iterdir())
EXAMPLES = [*(DATA / "good").rglob("*.y*ml"), *(Path(__file__).parent.parent / "src" / "fleet").glob("*.yaml")]


def told(fleet: Fleet, folder: Path) -> str:
    """All that loading says, as the `.expected` files hold it (with paths from the fixtures' folder)."""
    findings = [f"{finding}\n".replace(f"{folder}/", "") for finding in fleet.findings]
    refused = (name.replace(f"{folder}/", "") for name in fleet.refused)
    kept = ", ".join(map(str, fleet.policies)) or "none"
    return "".join(findings) + f"kept: {kept}\nrefused: {', '.join(refused) or 'none'}\n"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_told_word_for_word(path: Path) -> None:
    """Every finding is the one beside the fixture, and so is what is kept and refused."""
    fleet = load_fleet([path], home=HOME)

    assert told(fleet, path.parent) == path.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_finding_names_its_rule_and_value(path: Path) -> None:
    """No message leaves out which rule was broken, or by what."""
    for finding in load_fleet([path], home=HOME).findings:
        assert finding.rule in finding.message
        assert finding.value in finding.message
        assert str(finding) == f"{finding.file}:{finding.line}: {finding.severity}: {finding.key}: {finding.message}"


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_has_no_finding(path: Path) -> None:
    """Good files give targets and not even a warning."""
    fleet = load_fleet([path], home=HOME)

    assert fleet.findings == ()
    assert fleet.policies
    assert fleet.complete


def test_there_are_enough_bad_fixtures_and_each_has_a_finding() -> None:
    """At least 40 bad fixtures, none of which has become good."""
    silent = [path.stem for path in BAD if not load_fleet([path], home=HOME).findings]

    assert len(BAD) >= 40
    assert silent == []


def test_no_expectation_is_left_without_its_fixture() -> None:
    """An `.expected` file whose fixture was renamed would never be read again."""
    expected = {path.stem for path in (DATA / "bad").glob("*.expected")}

    assert expected == {path.stem for path in BAD}


def test_all_bad_files_together_say_what_each_says_alone() -> None:
    """One run over a whole folder tells every finding, sorted by file and line; nothing hides another's."""
    files = [path for path in BAD if path.is_file()]
    together = {str(finding) for finding in load_fleet(files, home=HOME).findings}
    alone = {str(finding) for path in files for finding in load_fleet([path], home=HOME).findings}
    findings = load_fleet(files, home=HOME).findings

    assert alone <= together
    assert list(findings) == sorted(findings, key=lambda finding: (finding.file, finding.line, finding.key))


def test_errors_refuse_and_warnings_do_not() -> None:
    """A file with nothing but warnings keeps its targets."""
    for path in BAD:
        fleet = load_fleet([path], home=HOME)
        has_error = any(finding.severity is Severity.ERROR for finding in fleet.findings)
        assert has_error == bool(fleet.refused), path.stem


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_points_an_editor_at_the_schema(path: Path) -> None:
    """The first line names a schema file that is there."""
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("$schema=")[2]).resolve().name == "fleet.schema.json"
    assert (path.parent / first.partition("$schema=")[2]).resolve().is_file()
