"""A survey over fakes: what is looked at closely, and how refusals are kept instead of ending it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from builders import NOON
from warmcast.errors import AwsError
from warmcast.model import AccountLimits, Capacity, Status
from warmcast.scan.found import Activity, AliasSeen, FunctionSeen, Place, Scaling
from warmcast.scan.survey import MOST_IN_A_ROW, Depth, survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from warmcast.scan.found import Survey

PLACE = Place("111122223333", "eu-west-1", "shop")
READY = Capacity(requested=5, allocated=5, available=5, status=Status.READY)
ACTIVITY = Activity(NOON, 5, "Setting desired concurrency to 5.", "an alarm", "Successful")


def denied(operation: str) -> AwsError:
    """AWS's refusal of an operation that the role may not call."""
    return AwsError("AccessDeniedException", f"not authorized to perform: lambda:{operation}", operation)


def function(name: str) -> FunctionSeen:
    """A function as a listing tells of it."""
    return FunctionSeen(name, "python3.13", "Zip", memory_mb=1024, architecture="x86_64", timeout_s=30.0)


@dataclass
class FakeAccount:
    """Implements `Inventory` and `Scalings` and gives the traffic; every call is kept as operation and function.

    Args:
        names: of the functions. provisioned: by function, on `live`. scaled: functions whose `live` is registered.
        invocations: by function; none: 0.
        refused: error by operation, or by operation and function.
    """

    names: Sequence[str]
    provisioned_on: Sequence[str] = ()
    scaled: Sequence[str] = ()
    invocations: Mapping[str, float] = field(default_factory=dict)
    refused: Mapping[str | tuple[str, str], AwsError] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    since: datetime | None = None

    def functions(self) -> Iterator[FunctionSeen]:
        """The listing; an error comes after the first two."""
        for number, name in enumerate(self.names):
            if number == 2:
                self._call("ListFunctions")
            yield function(name)

    def provisioned(self, function: str) -> Mapping[str, Capacity]:
        """Five units on `live`, or none."""
        self._call("ListProvisionedConcurrencyConfigs", function)
        return {"live": READY} if function in self.provisioned_on else {}

    def aliases(self, function: str) -> Mapping[str, AliasSeen]:
        """`live`, shifting from version 3 to 4."""
        self._call("ListAliases", function)
        return {"live": AliasSeen("3", {"4": 0.1})}

    def details(self, function: FunctionSeen) -> FunctionSeen:
        """A stack and a reservation."""
        self._call("GetFunction", function.name)
        return replace(function, stack="shop", reserved=50)

    def account(self) -> AccountLimits:
        """A common account."""
        self._call("GetAccountSettings")
        return AccountLimits(1000, 900)

    def all(self) -> Mapping[tuple[str, str], Scaling]:
        """A target on `live` of each that is scaled."""
        self._call("DescribeScalableTargets")
        return {(name, "live"): Scaling(1, 9) for name in self.scaled}

    def activities(self, function: str, qualifier: str, *, since: datetime | None = None) -> Sequence[Activity]:
        """One activity."""
        self._call("DescribeScalingActivities", f"{function}:{qualifier}")
        self.since = since
        return [ACTIVITY]

    def traffic(self, names: Sequence[str]) -> Mapping[str, float]:
        """Invocations of every function."""
        self._call("GetMetricData")
        return {name: self.invocations.get(name, 0.0) for name in names}

    def survey(self, depth: Depth = Depth(busy=1000, most_busy=2), *, most: int | None = None) -> Survey:  # noqa: B008 - frozen
        """Survey it; with `most`, time is up after so many calls."""
        return survey(
            PLACE,
            inventory=self,
            scalings=self,
            traffic=self.traffic,
            depth=depth,
            in_time=lambda: most is None or len(self.calls) < most,
        )

    def asked(self, operation: str) -> list[str]:
        """The functions that an operation was called for."""
        return [name for called, name in self.calls if called == operation]

    def _call(self, operation: str, name: str = "") -> None:
        self.calls.append((operation, name))
        error = self.refused.get(operation) or self.refused.get((operation, name))
        if error is not None:
            raise error


def by_name(found: Survey) -> dict[str, FunctionSeen]:
    """The functions of a survey by name."""
    return {each.name: each for each in found.functions}


# --- what is looked at -----------------------------------------------------------------------------------------------


def test_every_function_is_asked_for_capacity_and_few_for_the_rest() -> None:
    """Capacity, a scalable target, or traffic among the busiest earn a closer look; the others only the one call."""
    account = FakeAccount(
        names=["a-warm", "b-scaled", "c-busy", "d-busier", "e-busy-too", "f-quiet"],
        provisioned_on=["a-warm"],
        scaled=["b-scaled"],
        invocations={"c-busy": 2000, "d-busier": 9000, "e-busy-too": 1000, "f-quiet": 999},
    )
    found = account.survey()
    assert account.asked("ListProvisionedConcurrencyConfigs") == list(account.names)
    assert account.asked("ListAliases") == account.asked("GetFunction") == ["a-warm", "b-scaled", "c-busy", "d-busier"]
    assert account.asked("DescribeScalingActivities") == ["b-scaled:live"]
    assert [each.name for each in found.functions] == list(account.names)
    assert found.denials == ()


def test_a_function_that_was_looked_at_tells_everything() -> None:
    """Capacity, aliases, the newest version of aliases and their weights, stack, reservation, scaling, activities."""
    account = FakeAccount(names=["api"], provisioned_on=["api"], scaled=["api"])
    (seen,) = account.survey(Depth(since=NOON)).functions
    assert seen == replace(
        function("api"),
        provisioned={"live": READY},
        aliases={"live": AliasSeen("3", {"4": 0.1})},
        newest_version="4",
        stack="shop",
        reserved=50,
        scaling={"live": Scaling(1, 9, activities=(ACTIVITY,))},
    )
    assert account.since == NOON


def test_a_pattern_leaves_the_other_functions_out() -> None:
    """A role that may read `shop-*` only asks of nothing else."""
    account = FakeAccount(names=["shop-api", "crm", "shop-web"])
    found = account.survey(Depth(pattern="shop-*"))
    assert list(by_name(found)) == ["shop-api", "shop-web"]
    assert account.asked("ListProvisionedConcurrencyConfigs") == ["shop-api", "shop-web"]


def test_what_was_left_out_for_others_or_for_lack_of_data_says_so() -> None:
    """Not looked at is not the same as not worth it."""
    account = FakeAccount(
        names=["busiest", "busier", "busy", "dark"], invocations={"busiest": 9e9, "busier": 9e8, "busy": 9e7}
    )
    account.invocations = {**account.invocations, "dark": math.nan}
    seen = by_name(account.survey())
    assert seen["busy"].unread == ("aliases: not asked, 2 functions have more traffic",)
    assert seen["dark"].unread == ("traffic: CloudWatch did not tell",)
    assert seen["busiest"].unread == ()


def test_progress_is_told_as_it_is_made() -> None:
    """Each part by its name, with how much of it is done and of how much."""
    account, told = FakeAccount(names=["a", "b"], provisioned_on=["a"]), list[tuple[str, int, int]]()
    survey(
        PLACE,
        inventory=account,
        scalings=account,
        traffic=account.traffic,
        progress=lambda what, done, total: told.append((what, done, total)),
    )
    assert told == [
        ("functions", 1, 0),
        ("functions", 2, 0),
        ("provisioned concurrency", 1, 2),
        ("provisioned concurrency", 2, 2),
        ("aliases", 1, 1),
        ("stacks and reservations", 1, 1),
    ]


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation", ["ListFunctions", "GetAccountSettings", "DescribeScalableTargets", "GetMetricData"]
)
def test_what_is_refused_of_the_whole_region_is_one_denial(operation: str) -> None:
    """With AWS's words and the action that mends it; everything else is read."""
    account = FakeAccount(names=["a", "b", "c"], provisioned_on=["a"], refused={operation: denied(operation)})
    found = account.survey()
    (denial,) = found.denials
    assert (denial.place, denial.operation, denial.code) == (PLACE, operation, "AccessDeniedException")
    assert f":{operation}" in denial.fix
    assert "iam scan" in denial.fix
    assert by_name(found)["a"].provisioned == {"live": READY}


def test_a_listing_that_breaks_off_keeps_what_came_before() -> None:
    """And the denial says how far it came."""
    account = FakeAccount(names=["a", "b", "c"], refused={"ListFunctions": denied("ListFunctions")})
    found = account.survey()
    assert list(by_name(found)) == ["a", "b"]
    assert found.denials[0].message.endswith("(after 2 functions)")


def test_a_region_that_is_denied_altogether_is_a_survey_of_denials() -> None:
    """Nothing is raised."""
    operations = ["GetAccountSettings", "DescribeScalableTargets", "GetMetricData", "ListProvisionedConcurrencyConfigs"]
    account = FakeAccount(names=["a"], refused={each: denied(each) for each in operations})
    found = account.survey()
    assert found.account is None
    assert sorted(each.operation for each in found.denials) == sorted(operations)


def test_an_operation_that_is_denied_is_not_asked_for_every_function() -> None:
    """Five in a row are enough; one denial counts them, and each function says what is not known of it."""
    account = FakeAccount(
        names=[f"f{number:02}" for number in range(40)],
        refused={"ListProvisionedConcurrencyConfigs": denied("ListProvisionedConcurrencyConfigs")},
    )
    found = account.survey()
    assert len(account.asked("ListProvisionedConcurrencyConfigs")) == MOST_IN_A_ROW
    (denial,) = found.denials
    assert denial.message.endswith("(for 5 functions, and 35 more were not asked)")
    seen = by_name(found)
    assert seen["f00"].unread[0].startswith("provisioned concurrency: AccessDeniedException: not authorized")
    assert seen["f39"].unread == ("provisioned concurrency: not asked, AWS refused it for 5 functions in a row",)


def test_refusals_that_are_not_in_a_row_do_not_end_the_asking() -> None:
    """A role that may read most functions reads them; the denial counts the others."""
    names = [f"f{number:02}" for number in range(20)]
    refused: dict[str | tuple[str, str], AwsError] = {
        ("ListProvisionedConcurrencyConfigs", name): denied("ListProvisionedConcurrencyConfigs") for name in names[::2]
    }
    account = FakeAccount(names=names, refused=refused)
    found = account.survey()
    assert account.asked("ListProvisionedConcurrencyConfigs") == names
    (denial,) = found.denials
    assert denial.message.endswith("(for 10 functions)")


@pytest.mark.parametrize("code", ["ServiceException", "ResourceNotFoundException"])
def test_one_functions_own_fault_is_a_note_on_it(code: str) -> None:
    """A function that was deleted meanwhile, or that AWS stumbled over, is no denial."""
    error = AwsError(code, "oh", "ListProvisionedConcurrencyConfigs")
    account = FakeAccount(names=["a", "b"], refused={("ListProvisionedConcurrencyConfigs", "a"): error})
    found = account.survey()
    assert found.denials == ()
    assert by_name(found)["a"].unread == (f"provisioned concurrency: {code}: oh",)
    assert by_name(found)["b"].unread == ()


def test_functions_that_vanish_in_a_row_do_not_end_the_asking() -> None:
    """A stack that is deleted meanwhile is no refusal."""
    gone = AwsError("ResourceNotFoundException", "Function not found", "ListProvisionedConcurrencyConfigs")
    account = FakeAccount(
        names=[f"f{number}" for number in range(9)], refused={"ListProvisionedConcurrencyConfigs": gone}
    )
    assert len(account.survey().functions) == len(account.asked("ListProvisionedConcurrencyConfigs")) == 9


def test_capacity_whose_scalable_targets_are_not_known_says_so() -> None:
    """Else it would look as if nobody scaled it."""
    account = FakeAccount(
        names=["a", "b"], provisioned_on=["a"], refused={"DescribeScalableTargets": denied("DescribeScalableTargets")}
    )
    seen = by_name(account.survey())
    assert seen["a"].unread == ("scalable targets: see the denial",)
    assert seen["b"].unread == ()


def test_when_time_is_up_the_rest_is_left_unread() -> None:
    """What was found until then stands."""
    account = FakeAccount(names=["a", "b", "c"], provisioned_on=["a"])
    found = account.survey(most=5)
    assert account.asked("ListProvisionedConcurrencyConfigs") == ["a"]
    assert by_name(found)["a"].provisioned == {"live": READY}
    assert by_name(found)["c"].unread == ("provisioned concurrency: not asked, there was no time left",)
    assert found.denials == ()
