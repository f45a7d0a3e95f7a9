"""The policy file that `import` writes: comments that say where each rule comes from, and text that can't break it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warmcast.fleet import load_fleet
from warmcast.importing.gather import gather
from warmcast.importing.translate import translate
from warmcast.importing.writing import record, yaml_text
from warmcast.model import Capacity, Status
from warmcast.scan.found import FunctionSeen, Scaling, Scheduled, Tracking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warmcast.fleet import Policy
    from warmcast.importing.translate import Imported
    from warmcast.model import AccountLimits
    from warmcast.scan.found import AliasSeen

PLACE = "123456789012/eu-west-1"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
DOCS = (Path(__file__).parent.parent / "docs" / "import.md").read_text(encoding="utf-8")
OFFICE = Scaling(
    20,
    400,
    tracking=(Tracking("keep-70", 0.7, "LambdaProvisionedConcurrencyUtilization", predefined=True),),
    scheduled=(
        Scheduled("warm up", "cron(0 8 ? * MON-FRI *)", "Europe/London", minimum=20),
        Scheduled("cool down", "cron(0 19 ? * MON-FRI *)", "Europe/London", minimum=2),
        Scheduled("month end", "cron(0 2 28-31 * ? *)", "Europe/London", minimum=60),
        Scheduled("month end is over", "cron(0 5 28-31 * ? *)", "Europe/London", minimum=2),
        Scheduled("sale", "at(2026-11-27T00:00:00)", "Europe/London", minimum=200),
    ),
)
WEEK = Scaling(20, 400, OFFICE.tracking, OFFICE.scheduled[:2])


class FakeInventory:
    """Functions with provisioned concurrency of their own."""

    def __init__(self, provisioned: Mapping[str, Mapping[str, int]]) -> None:
        self._provisioned = provisioned

    def functions(self) -> Iterator[FunctionSeen]:
        """Each by name."""
        for name in self._provisioned:
            yield FunctionSeen(name, "python3.13", "Zip", 128, "arm64", 3.0)

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """READY as it was asked for."""
        amounts = self._provisioned[function]
        return {name: Capacity(amount, amount, amount, Status.READY) for name, amount in amounts.items()}

    def aliases(self, function: str) -> Mapping[str, AliasSeen]:
        """Nobody asks."""
        raise AssertionError(function)

    def details(self, function: FunctionSeen) -> FunctionSeen:
        """Nobody asks."""
        raise AssertionError(function)

    def account(self) -> AccountLimits:
        """Nobody asks."""
        raise AssertionError


def load(imported: list[Imported], folder: Path) -> Mapping[str, Policy]:
    """The file as the fleet reads it, without any finding."""
    path = folder / "fleet.yaml"
    path.write_text(yaml_text(imported, PLACE), encoding="utf-8")
    fleet = load_fleet([path], home=None)
    assert [str(finding) for finding in fleet.findings] == []
    return {str(target): policy for target, policy in fleet.policies.items()}


def test_the_example_of_the_docs_is_what_is_written() -> None:
    """Word for word, so that it can't go stale."""
    example = DOCS.split("```yaml\n")[1].split("```")[0]
    assert yaml_text([translate("checkout-api", "live", OFFICE, NOW)], PLACE) == example


def test_a_file_says_the_same_twice_whatever_the_order_in_which_aws_answers() -> None:
    """Targets and actions are in the order of their names."""
    turned = Scaling(20, 400, WEEK.tracking, WEEK.scheduled[::-1])
    forth = gather({("a", "live"): WEEK, ("b", "7"): WEEK}, (), now=NOW)
    back = gather({("b", "7"): turned, ("a", "live"): turned}, (), now=NOW)
    assert yaml_text(forth.imported, PLACE) == yaml_text(back.imported, PLACE)


@pytest.mark.parametrize(
    "name",
    ["a: b", "#1", "'quoted' \"twice\"", "back\\slash", "new\u2028line", "}", "null", "1e3", "é ünï", "x" * 300, "- a"],
)
def test_a_name_of_somebody_elses_can_not_break_the_file(name: str, tmp_path: Path) -> None:
    """Action names go into values and into comments; AWS allows nearly any character in them."""
    actions = (
        Scheduled(name, "cron(0 8 * * ? *)", minimum=20),
        Scheduled("off", "cron(0 19 * * ? *)", minimum=2),
        Scheduled(f"{name} once", "at(2027-01-01T00:00:00)", minimum=2),
    )
    (policy,) = load([translate("f", "live", Scaling(2, 40, scheduled=actions), NOW)], tmp_path).values()
    assert [window.name for window in policy.schedule] == [name[:80]]


@pytest.mark.parametrize(("function", "qualifier"), [("null", "on"), ("123", "7"), ("1e3", "-x"), ("-f", "_")])
def test_names_that_look_like_something_else_stay_text(function: str, qualifier: str, tmp_path: Path) -> None:
    """YAML would read them as numbers or as nothing."""
    assert list(load([translate(function, qualifier, WEEK, NOW)], tmp_path)) == [f"{function}:{qualifier}"]


def test_somebody_elses_scalable_target_is_adopted_and_only_observed(tmp_path: Path) -> None:
    """First trust; and a bound of 0 says that no stack may own the config."""
    zero = Scaling(0, 10)
    policies = load([translate("a", "live", WEEK, NOW), translate("b", "live", zero, NOW)], tmp_path)
    assert {(policy.mode, policy.actuator, policy.adopt) for policy in policies.values()} == {
        ("observe", "autoscaling", True)
    }
    assert [policies[name].stack_owns_config for name in ("a:live", "b:live")] == [True, False]


def test_warmcasts_own_scalable_targets_are_left_out_unless_named() -> None:
    """They have a policy already."""
    ours = Scaling(2, 10, ours=True)
    assert gather({("a", "live"): ours}, (), now=NOW).ours == ("a:live",)
    (found,) = gather({("a", "live"): ours}, ("a:live",), now=NOW).imported
    assert "adopt" not in json.dumps(record(found))


def test_provisioned_concurrency_without_a_scalable_target_comes_with_fixed(tmp_path: Path) -> None:
    """As a capacity that is the same at all times, put directly."""
    inventory = FakeInventory({"checkout-api": {"live": 5, "7": 9}, "search-api": {"live": 3}})
    found = gather({("checkout-api", "live"): WEEK}, (), now=NOW, inventory=inventory)
    policies = load(list(found.imported), tmp_path)
    assert list(policies) == ["checkout-api:7", "checkout-api:live", "search-api:live"]
    seven = policies["checkout-api:7"]
    assert (seven.capacity.min, seven.capacity.max, seven.actuator, seven.mode) == (9, 9, "direct", "observe")


def test_what_was_asked_for_and_is_not_there_is_missing() -> None:
    """And what was not asked for is left out."""
    found = gather({("a", "live"): WEEK, ("b", "live"): WEEK}, ("a:live", "c:live"), now=NOW)
    assert [str(each) for each in found.imported] == ["a:live"]
    assert found.missing == ("c:live",)


def test_the_record_for_programs_has_the_policy_and_what_is_not_in_it() -> None:
    """Reason and date of what was not translated."""
    sale = Scaling(20, 400, scheduled=(*WEEK.scheduled, OFFICE.scheduled[-1]))
    made = json.loads(json.dumps(record(translate("checkout-api", "live", sale, NOW))))
    assert made["policy"]["schedule"][0] == {
        "name": "warm up", "days": "mon-fri", "from": "08:00", "to": "19:00", "min": 20,
    }  # fmt: skip
    (left,) = made["untranslated"]
    assert (left["action"], left["since"], left["partly"]) == ("sale", "2026-11-27T00:00:00+00:00", False)


def test_no_target_at_all_is_a_file_that_manages_nobody(tmp_path: Path) -> None:
    """An empty list, which the fleet takes."""
    assert load([], tmp_path) == {}
