"""Loading: what a policy becomes, what defaults do, what each kind of wrong path costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from warmcast.errors import FleetError
from warmcast.fleet import (
    ColdStartCost,
    ColdStarts,
    Home,
    OnRemove,
    OnSlow,
    Repeated,
    Savings,
    Severity,
    Spillover,
    Weekly,
    load_fleet,
)
from warmcast.model import Actuator, Mode, TargetId

GOOD = Path(__file__).parent / "data" / "fleet" / "good"
EXAMPLE = Path(__file__).parent.parent / "src" / "fleet"
HOME = Home("123456789012", "eu-west-1")
API = "targets:\n  - function: api\n    qualifier: live\n    capacity: {max: 10}\n"


def target(function: str, qualifier: str = "live") -> TargetId:
    """A target at home."""
    return TargetId(HOME.account, HOME.region, function, qualifier)


def test_the_designs_example_becomes_the_policy_it_describes() -> None:
    """Every key of the example arrives with its type."""
    policy = load_fleet([GOOD / "design_example.yaml"], home=HOME).policies[target("checkout-api")]

    assert (policy.owner, policy.mode, policy.actuator) == ("payments", Mode.APPLY, Actuator.DIRECT)
    assert policy.timezone is ZoneInfo("Europe/London")
    assert (policy.capacity.min, policy.capacity.max) == (2, 400)
    assert policy.objective == Spillover(0.01)
    office, month_end = policy.schedule
    assert (office.title, office.min, office.max) == ("office hours", 20, None)
    assert office.timing == Weekly(frozenset(range(5)), 480, 1140)
    assert isinstance(month_end.timing, Repeated)
    assert (str(month_end.timing.cron), month_end.timing.length_s) == ("0 2 28-31 * *", 10_800)


def test_what_is_left_out_has_the_documented_default() -> None:
    """The smallest policy observes, aims at 1% spillover and keeps at least one unit."""
    policy = load_fleet([GOOD / "smallest.yaml"], home=HOME).policies[target("api")]

    assert (policy.mode, policy.actuator, policy.objective) == (Mode.OBSERVE, Actuator.DIRECT, Spillover(0.01))
    assert (policy.capacity.min, policy.schedule, policy.timezone.key) == (1, (), "UTC")
    assert (policy.hold, policy.lead_time) == (timedelta(0), None)
    assert (policy.on_slow, policy.on_remove, policy.stack_owns_config) == (OnSlow.FOLLOW, OnRemove.KEEP, True)
    assert (policy.adopt, policy.metrics, policy.owner) == (False, False, None)


def test_an_arn_is_reduced_to_the_name() -> None:
    """A full ARN gives function, account and Region."""
    policy = load_fleet([GOOD / "every_key.yaml"], home=HOME).policies[target("api")]

    assert (policy.function, policy.account, policy.region) == ("api", HOME.account, HOME.region)


def test_scalars_are_read_as_yaml_1_2() -> None:
    """`on`, `NO` and `off` stay text, `19:00` is a time, a version may be a number, `0o20` is 16."""
    policies = load_fleet([GOOD / "yaml_1_2_scalars.yaml"], home=HOME).policies
    policy = policies[target("on", "NO")]

    assert (policy.owner, policy.capacity.min, policy.capacity.max) == ("off", 2, 16)
    assert [window.title for window in policy.schedule] == ["yes", "2026-11-27T00:00", "1_000"]
    assert policy.schedule[1].timing == Weekly(frozenset({5, 6}), 1140, 450)
    assert target("json-style", "7") in policies


def test_each_objective_has_its_own_type() -> None:
    """The five ways to promise."""
    objectives = [policy.objective for policy in load_fleet([GOOD / "objectives.yaml"], home=HOME).policies.values()]

    assert objectives == [
        Spillover(0.005),
        Spillover(0.5),
        ColdStarts(2.0),
        ColdStartCost(0.0004),
        ColdStartCost(1.0),
        Savings(),
    ]


def test_defaults_merge_mappings_and_replace_lists_and_the_objective() -> None:
    """`own` raises max and keeps the shared min; its objective and its empty schedule replace the shared ones."""
    policies = load_fleet([GOOD / "with_defaults"], home=HOME).policies
    plain, own, web = policies[target("plain")], policies[target("own", "blue")], policies[target("web")]

    assert (plain.mode, plain.capacity.max, plain.lead_time) == (Mode.APPLY, 20, timedelta(minutes=4))
    assert [window.title for window in plain.schedule] == ["day"]
    assert (own.capacity.min, own.capacity.max) == (2, 30)
    assert (own.objective, own.schedule, own.lead_time) == (Spillover(0.02), (), None)
    assert (web.owner, web.mode, web.capacity.min, web.capacity.max) == ("team", Mode.APPLY, 2, 25)


def test_a_file_by_itself_is_governed_by_the_defaults_beside_it() -> None:
    """`validate api.yaml` means what `validate .` means of that file."""
    alone = load_fleet([GOOD / "with_defaults" / "api.yaml"], home=HOME).policies

    assert alone == {
        target: policy
        for target, policy in load_fleet([GOOD / "with_defaults"], home=HOME).policies.items()
        if target.function != "web"
    }


def test_a_file_given_twice_is_read_once() -> None:
    """A folder and a file inside it are no duplicate target."""
    fleet = load_fleet([GOOD / "with_defaults", GOOD / "with_defaults" / "api.yaml"], home=HOME)

    assert fleet.findings == ()


def test_a_fresh_clone_manages_nothing() -> None:
    """What `src/fleet` ships names no function: a first deploy watches nobody until somebody says whom."""
    fleet = load_fleet([EXAMPLE], home=HOME)

    assert (fleet.policies, fleet.findings) == ({}, ())


def test_the_commented_example_is_good_once_it_counts(tmp_path: Path) -> None:
    """Taking the comment signs off makes a target that only observes."""
    lines = (EXAMPLE / "fleet.yaml").read_text().replace("targets: []", "targets:").splitlines()
    head = lines.index("targets:") + 1
    (tmp_path / "fleet.yaml").write_text("\n".join([*lines[:head], *(line[1:] for line in lines[head:])]))
    fleet = load_fleet([tmp_path, EXAMPLE / "_defaults.yaml"], home=HOME)

    assert fleet.findings == ()
    assert {policy.mode for policy in fleet.policies.values()} == {Mode.OBSERVE}


def test_without_a_home_ids_are_empty_and_what_is_named_is_not_compared() -> None:
    """Offline nobody knows whether a named account is the right one: a warning says how to tell; the policy is good."""
    assert list(load_fleet([GOOD / "smallest.yaml"], home=None).policies) == [TargetId("", "", "api", "live")]

    named = load_fleet([GOOD / "every_key.yaml"], home=None)

    assert list(named.policies) == [TargetId("", "", "api", "live")]
    assert [(finding.key, finding.severity) for finding in named.findings] == [
        ("account", Severity.WARNING),
        ("region", Severity.WARNING),
    ]
    assert [finding.message.partition("; ")[2] for finding in named.findings] == [
        "pass --account to have it compared",
        "pass --region to have it compared",
    ]


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        (Home(region="eu-west-1"), ["account: should be where Warmcast runs (not known here)"]),
        (Home(account="123456789012"), ["region: should be where Warmcast runs (not known here)"]),
        (
            Home(region="us-east-1"),
            [
                "account: should be where Warmcast runs (not known here)",
                "region: must be where Warmcast runs (us-east-1)",
            ],
        ),
        (HOME, []),
    ],
    ids=["account unknown", "Region unknown", "elsewhere", "at home"],
)
def test_what_is_known_of_home_is_compared_and_only_that(home: Home, expected: list[str]) -> None:
    """An account that is not known is no account that differs."""
    findings = load_fleet([GOOD / "every_key.yaml"], home=home).findings

    assert [f"{finding.key}: {finding.message.partition(', but')[0]}" for finding in findings] == expected


@pytest.mark.parametrize("pattern", ["*", "a*", "ap?", "api"])
def test_a_target_within_the_stacks_pattern_is_kept(pattern: str) -> None:
    """The wildcards are those of an ARN."""
    assert load_fleet([GOOD / "smallest.yaml"], home=replace(HOME, functions=pattern)).policies


@pytest.mark.parametrize("pattern", ["shop-*", "ap", "API", "??"])
def test_a_target_outside_the_stacks_pattern_is_refused(pattern: str) -> None:
    """IAM can't bind Application Auto Scaling to function names, so the fleet is held to the pattern itself."""
    fleet = load_fleet([GOOD / "smallest.yaml"], home=replace(HOME, functions=pattern))

    assert (dict(fleet.policies), fleet.refused) == ({}, ("api:live",))
    (finding,) = fleet.findings
    assert finding.rule == f"within the stack's FunctionPattern ({pattern})"
    assert (finding.key, finding.severity) == ("function", Severity.ERROR)


def test_two_regions_in_one_fleet_are_an_error_wherever_it_is(tmp_path: Path) -> None:
    """Offline nobody knows where Warmcast runs, but it can't be in both: the second one fails."""
    one = "  - {{function: api, qualifier: {0}, region: {1}, capacity: {{max: 5}}}}\n"
    text = "targets:\n" + one.format("a", "eu-west-1") + one.format("b", "us-east-1") + one.format("c", "eu-west-1")
    (tmp_path / "fleet.yaml").write_text(text)
    fleet = load_fleet([tmp_path], home=None)
    errors = [finding for finding in fleet.findings if finding.severity is Severity.ERROR]
    assert [(finding.line, finding.key) for finding in errors] == [(3, "region")]
    assert errors[0].message.startswith('must be where the rest of the fleet is (eu-west-1), but is "us-east-1"')
    assert fleet.refused == ("api:b",)


def test_a_missing_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Nothing can be checked that is not there."""
    with pytest.raises(FleetError, match=r"nowhere: no such file or folder"):
        load_fleet([tmp_path / "nowhere"], home=HOME)


def test_a_folder_without_policies_is_an_error(tmp_path: Path) -> None:
    """Defaults alone, hidden files and other suffixes are no policy files."""
    for name in ("_defaults.yaml", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text(API, encoding="utf-8")

    with pytest.raises(FleetError, match="no policy file"):
        load_fleet([tmp_path], home=HOME)


def test_no_path_at_all_is_an_error() -> None:
    """An empty fleet is never an accident that goes unnoticed."""
    with pytest.raises(FleetError, match="no policy files"):
        load_fleet([], home=HOME)


def test_one_unreadable_file_costs_no_other(tmp_path: Path) -> None:
    """A dangling link is a finding; the good file beside it is loaded, and the fleet is not complete."""
    (tmp_path / "good.yaml").write_text(API, encoding="utf-8")
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")

    fleet = load_fleet([tmp_path], home=HOME)

    assert list(fleet.policies) == [target("api")]
    assert [(finding.line, finding.key) for finding in fleet.findings] == [(1, "file")]
    assert "No such file" in fleet.findings[0].message
    assert not fleet.complete


def test_only_unreadable_files_are_an_error(tmp_path: Path) -> None:
    """With nothing readable there is no fleet to speak of."""
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(FleetError, match="can't be read"):
        load_fleet([tmp_path], home=HOME)


def test_the_defaults_file_can_be_checked_by_itself(tmp_path: Path) -> None:
    """`validate _defaults.yaml` tells what is wrong with it, and misses no target."""
    path = tmp_path / "_defaults.yaml"
    path.write_text("mode: always\n", encoding="utf-8")

    assert [finding.key for finding in load_fleet([path], home=HOME).findings] == ["mode"]


def test_the_version_is_the_callers_or_a_digest_of_the_files(tmp_path: Path) -> None:
    """The same files have the same version anywhere; another byte makes another."""
    first, second = tmp_path / "a" / "x.yaml", tmp_path / "b" / "x.yaml"
    for path in (first, second):
        path.parent.mkdir()
        path.write_text(API, encoding="utf-8")
    versions = [load_fleet([path.parent], home=HOME).version for path in (first, second)]
    second.write_text(API + "\n", encoding="utf-8")

    assert versions[0] == versions[1] != load_fleet([second.parent], home=HOME).version
    assert load_fleet([first], home=HOME, version="4f2c").version == "4f2c"
