"""Rules about the repository as a whole: pins, Python versions, make targets, what must not be in a file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOCKS = sorted([*(ROOT / "requirements").glob("*.txt"), ROOT / "src/requirements.txt"])
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = {
    "help",
    "setup",
    "demo",
    "wheel",
    "account",
    "test",
    "check",
    "build",
    "validate",
    "e2e",
    "bench",
    "bench-forecasts",
    "bench-scan",
    "bench-traces",
    "incidents",
    "deploy",
    "lock",
    "peers",
    "clean",
}

# Put together from parts, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile("|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)"]))


def _tracked() -> list[Path]:
    """The files that git knows; all below the root where this is no checkout."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git checkout to list files of")
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        [shutil.which("git") or "git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


# --- what must not be in a file --------------------------------------------------------------------------------------


def test_no_file_names_a_package_registry() -> None:
    """Whoever installs chooses where from; locks hold names, versions and hashes."""
    assert [str(path.relative_to(ROOT)) for path in _tracked() if REGISTRY_HOSTS.search(_text(path))] == []


def test_no_key_of_aws_is_in_a_file() -> None:
    """Access keys begin with AKIA or ASIA; AWS's own example key would be one too many."""
    key = re.compile(r"\bA[KS]IA[0-9A-Z]{16}\b")
    assert [str(path.relative_to(ROOT)) for path in _tracked() if key.search(_text(path))] == []


# --- pins ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_is_pinned_with_hashes(lock: Path) -> None:
    """An exact version and at least one SHA-256 for each, and no address to download from."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert entries
    for entry in entries:
        assert re.match(r"^[A-Za-z0-9._-]+(\[[^]]+\])?==\S+ ", entry), entry[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry[:80]
    assert "://" not in text


def test_the_lambda_carries_what_the_project_needs_but_the_command_lines() -> None:
    """Lambda's runtime brings boto3, and no tick draws a table; all else that pyproject.toml names is carried."""
    carried = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "src/requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = {re.split(r"[><=]", each)[0].lower() for each in PROJECT["project"]["dependencies"]}
    assert named - carried == {"boto3", "click", "jinja2", "rich"}
    assert carried.isdisjoint({"botocore", "s3transfer"})


def test_the_same_versions_are_tested_and_shipped() -> None:
    """What the tests import is what the Lambda carries."""
    pins = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
    shipped = set(pins.findall((ROOT / "src/requirements.txt").read_text(encoding="utf-8")))
    tested = set(pins.findall((ROOT / "requirements/dev.txt").read_text(encoding="utf-8")))
    assert shipped
    assert {(name, version) for name, version, _ in shipped} <= {(name, version) for name, version, _ in tested}


# --- Python ----------------------------------------------------------------------------------------------------------


def test_python_versions_agree_everywhere() -> None:
    """The classifiers, the least version, mypy, ruff and the matrix of the workflow say the same."""
    prefix = "Programming Language :: Python :: "
    versions = [c.removeprefix(prefix) for c in PROJECT["project"]["classifiers"] if c.startswith(prefix)]
    least = versions[0]
    assert PROJECT["project"]["requires-python"] == f">={least}"
    assert PROJECT["tool"]["mypy"]["python_version"] == least
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{least.replace('.', '')}"
    assert f"--python-version {least}" in (ROOT / "requirements/lock.sh").read_text(encoding="utf-8")
    workflow = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == versions


# --- make ------------------------------------------------------------------------------------------------------------


def test_every_make_target_says_what_it_does() -> None:
    """`make help` is the table of contents."""
    targets = dict(re.findall(r"^([a-z0-9-]+):[^=\n]*?## (.+)$", MAKEFILE, re.MULTILINE))
    assert set(targets) == TARGETS
    phony = set(" ".join(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)).split())
    assert phony == TARGETS


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_help_lists_the_targets() -> None:
    """Without installing anything."""
    assert {line.split()[1] for line in _make("help").stdout.splitlines()} == TARGETS


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("python", ["", "/no/such/python3"])
def test_a_python_that_is_too_old_or_missing_is_told_in_words(tmp_path: Path, python: str) -> None:
    """The first thing that can go wrong for a newcomer says what to do."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/dev.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    outcome = _make("setup", f"PYTHON={python}", folder=tmp_path)
    assert outcome.returncode != 0
    assert "Warmcast needs Python 3.11 or newer" in outcome.stderr
    assert "make PYTHON=/path/to/python3" in outcome.stderr
    assert not (tmp_path / ".venv").exists()


def _make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # A make above this one (`make test`) must not hand its options down.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(  # noqa: S603 - fixed arguments
        [shutil.which("make") or "make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@needs_make
def test_build_and_deployment_have_the_same_parameters() -> None:
    """Wheels of one processor in a function of another fail at every tick; so both commands get all parameters."""
    recipe = _make("--dry-run", "deploy", "PARAMETERS=Architecture=x86_64 BudgetUnits=4", "ARGS=--guided").stdout
    build, deploy = (re.search(rf"sam {command} .*", recipe) for command in ("build", "deploy"))
    assert build
    assert deploy
    for command in (build[0], deploy[0]):
        assert "--parameter-overrides Architecture=x86_64 BudgetUnits=4" in command
    assert deploy[0].endswith(" --guided")


@needs_make
def test_parameters_that_only_the_deployment_would_see_are_refused() -> None:
    """The way that builds for one processor and deploys for another ends before anything is built."""
    outcome = _make("--dry-run", "deploy", "ARGS=--parameter-overrides Architecture=x86_64")
    assert outcome.returncode != 0
    assert 'PARAMETERS="Architecture=..."' in outcome.stderr
    assert "sam deploy" not in outcome.stdout


def test_sams_own_defaults_name_the_processor_for_build_and_deployment() -> None:
    """`sam build && sam deploy` read it from the section that every command reads, and no section has another."""
    sections = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]
    assert sections["global"]["parameters"]["parameter_overrides"] == "Architecture=arm64"
    assert [name for name, each in sections.items() if name != "global" and "parameter_overrides" in str(each)] == []


@needs_make
def test_make_validate_hands_its_arguments_on() -> None:
    """A policy that names its account can be compared with it."""
    assert "warmcast validate --account 123456789012" in _make("-n", "validate", "ARGS=--account 123456789012").stdout


def test_the_ci_script_runs_every_part() -> None:
    """`.ci/run` is executable and runs every part."""
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    parts = re.findall(r"^section \S+ (.+)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"make check", "tests_with_traces", "make e2e", "demo_on_traces"} <= set(parts)


# --- workflows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_permissions_are_named(workflow: Path) -> None:
    """At least a major version for each action, and nothing beyond reading unless a job says so."""
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert content["permissions"] == {"contents": "read"}
    steps = [step for job in content["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", action)] == []
    assert all("timeout-minutes" in job for job in content["jobs"].values())


def test_the_deployment_uses_a_role_and_no_stored_key() -> None:
    """Only the deployment may ask for an OIDC token, only on the main branch, and no secret is read."""
    text = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    assert content[True] == {"push": {"branches": ["main"]}}  # YAML 1.1 reads the key `on` as true
    assert content["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "secrets." not in text
    checks = (ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8")
    assert "id-token" not in checks
    assert "make validate" in checks


def test_the_deployment_builds_with_the_parameters_that_it_deploys_with() -> None:
    """They are put together once, before the build, into the variable that make hands to both."""
    steps = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))["jobs"]["deploy"][
        "steps"
    ]
    runs = [step.get("run", "") for step in steps]
    (given,) = [index for index, run in enumerate(runs) if "PARAMETERS=FleetVersion=" in run]
    assert runs[given].endswith(' $SAM_PARAMETERS" >> "$GITHUB_ENV"')
    assert steps[given]["env"] == {"SAM_PARAMETERS": "${{ vars.SAM_PARAMETERS }}"}
    assert given < runs.index("make build") < runs.index('make deploy ARGS="--config-env ci"')
    assert "$(PARAMETERS)" in MAKEFILE
    assert re.search(r"^PARAMETERS \?=", MAKEFILE, re.MULTILINE)  # the environment's, where there is one


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_policies_are_compared_with_the_account_where_it_is_known(workflow: Path) -> None:
    """Both workflows tell `validate` what the repository's variables say, and an empty one says nothing."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    (step,) = [step for job in jobs for step in job["steps"] if step.get("run") == "make validate"]
    assert step["env"] == {"WARMCAST_ACCOUNT": "${{ vars.AWS_ACCOUNT_ID }}", "AWS_REGION": "${{ vars.AWS_REGION }}"}
