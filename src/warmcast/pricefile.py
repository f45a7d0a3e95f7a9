"""A file of prices of one's own (`--prices`): text in, prices or findings out. Pure. Format: docs/prices.md.

YAML as the fleet reads it (JSON is YAML too). A finding is `file:line: error: key: rule and value`; any finding refuses
the file, because a saving reckoned at a price that was misread is worse than none.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from warmcast.errors import PriceFileError
from warmcast.fleet.findings import MISSING, Problem, did_you_mean, show
from warmcast.fleet.yaml12 import Node, read
from warmcast.pricebook import ARCHITECTURES, Entry, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warmcast.fleet.findings import Path

_METERS: Final = ("allocation_usd_per_gb_s", "duration_usd_per_gb_s", "on_demand_usd_per_gb_s", "request_usd")
_TOP: Final = ("source", "monthly_gb_s", "prices", "savings_plan")
_PRICE: Final = ("region", "architecture", *_METERS, "tiers")
_TIER: Final = ("from_gb_s", "usd_per_gb_s")
_PLAN: Final = ("commitment_usd_per_hour", "rates")
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_LARGEST_PRICE: Final = 0.001
"""No GB-second and no request costs as much: whoever writes more means an hour's or a million's price."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a file says of one Region and architecture; a price that it leaves out stays."""

    prices: Mapping[str, float]
    tiers: tuple[Tier, ...] = ()

    def over(self, entry: Entry) -> Entry:
        """The entry with this change; a price for on-demand duration without tiers takes those that were known away."""
        given = dict(self.prices)
        if self.tiers:
            given["on_demand_usd_per_gb_s"] = self.tiers[0].usd_per_gb_s
        tiers = self.tiers or (() if "on_demand_usd_per_gb_s" in given else entry.tiers)
        assumed = entry.prices.assumed and not set(_METERS) <= set(given)
        return replace(entry, prices=replace(entry.prices, **given, assumed=assumed), tiers=tiers)


@dataclass(frozen=True, slots=True)
class PriceFile:
    """A file of prices.

    Args:
        source: the file's own words for it, or its name.
        prices: by Region and architecture; those of a Savings Plan are among them, for they are what is paid.
        monthly_gb_s: on-demand duration a month by architecture, which says what tier holds; 0: the first.
        plan: whether there is a Savings Plan. commitment_usd_per_hour: what is committed to it; None: not said.
    """

    source: str
    prices: Mapping[tuple[str, str], Change] = field(default_factory=lambda: MappingProxyType({}))
    monthly_gb_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    plan: bool = False
    commitment_usd_per_hour: float | None = None

    @property
    def tier_note(self) -> str:
        """What the tiers rest on; empty where nothing was said."""
        said = [f"{name} {amount:,.0f}" for name, amount in sorted(self.monthly_gb_s.items()) if amount]
        if not said:
            return ""
        return (
            f"On-demand duration at the price of the tier that {' and '.join(said)} GB-s a month reach; "
            "where no tiers are known, at that of the first."
        )

    @property
    def saving_note(self) -> str:
        """What a Savings Plan does to a saving; empty without one."""
        if not self.plan:
            return ""
        amount = f" of ${self.commitment_usd_per_hour:,.2f} an hour" if self.commitment_usd_per_hour else ""
        return (
            f"With a Savings Plan{amount} a saving is money only where other usage takes the commitment up; "
            "else it becomes commitment that is paid and not used."
        )


def parse(data: bytes, name: str) -> PriceFile:
    """The prices of a file.

    Raises:
        PriceFileError: all findings, a line each.
    """
    document = read(data, name)
    findings = [str(flaw.problem.at(name, flaw.line)) for flaw in document.flaws]
    root = document.root or Node(None, name, 1)
    reader = _Reader()
    file = reader.file(root, name)
    if document.root or not findings:  # what could not be read to its end has been told of
        findings += [str(problem.at(name, root.nearest(problem.path).line)) for problem in reader.problems]
    if findings:
        raise PriceFileError("\n".join(findings))
    return file


@dataclass(slots=True)
class _Reader:
    """Walks the tree and keeps what is wrong with it."""

    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, rule: str, value: Node | str, hint: str = "") -> None:
        """Note a broken rule; a value that is no node is in words already."""
        self.problems.append(Problem(path, rule, show(value.plain()) if isinstance(value, Node) else value, hint))

    def file(self, root: Node, name: str) -> PriceFile:
        top = self.mapping(root, (), _TOP)
        plan = self.mapping(top["savings_plan"], ("savings_plan",), _PLAN) if "savings_plan" in top else {}
        listed = self.prices(top.get("prices"), ("prices",))
        rates = self.prices(plan.get("rates"), ("savings_plan", "rates"))
        if not listed and not rates and "monthly_gb_s" not in top and not self.problems:
            self.wrong(("prices",), "a list of prices by Region and architecture", MISSING)
        source = top["source"].value if "source" in top else name
        if not isinstance(source, str) or not source:
            self.wrong(("source",), "text", top["source"])
        commitment = self.number(plan, ("savings_plan",), "commitment_usd_per_hour", most=1e6, unit="USD an hour")
        return PriceFile(
            source=str(source),
            prices=MappingProxyType(_merged(listed, rates)),
            monthly_gb_s=MappingProxyType(self.monthly(top)),
            plan="savings_plan" in top,
            commitment_usd_per_hour=commitment,
        )

    def mapping(self, node: Node, path: Path, known: tuple[str, ...]) -> Mapping[str, Node]:
        """A mapping's nodes by key; unknown keys are told."""
        if not isinstance(node.value, dict):
            self.wrong(path or ("file",), f"a mapping with the keys {', '.join(known)}", node)
            return {}
        for key in node.value:
            if key not in known:
                self.wrong((*path, key), f"one of the keys {', '.join(known)}", show(key), did_you_mean(key, known))
        return node.value

    def items(self, node: Node | None, path: Path) -> list[Node]:
        if node is None:
            return []
        if not isinstance(node.value, list) or not node.value:
            self.wrong(path, "a list with at least one entry", node)
            return []
        return node.value

    def prices(self, node: Node | None, path: Path) -> dict[tuple[str, str], Change]:
        found: dict[tuple[str, str], Change] = {}
        for index, item in enumerate(self.items(node, path)):
            here: Path = (*path, index)
            given = self.mapping(item, here, _PRICE)
            key = (self.region(given, here), self.architecture(given, here))
            if key in found:
                self.wrong(here, "the only entry of its Region and architecture", " ".join(key))
            found[key] = self.change(given, here)
        return found

    def change(self, given: Mapping[str, Node], path: Path) -> Change:
        numbers = {name: self.price(given, path, name) for name in _METERS}
        prices = {name: number for name, number in numbers.items() if number is not None}
        tiers = self.tiers(given.get("tiers"), (*path, "tiers"))
        if tiers and "on_demand_usd_per_gb_s" in given:
            self.wrong(
                (*path, "tiers"), "given without on_demand_usd_per_gb_s, which is the first tier's", "given with it"
            )
        if given and not prices and not tiers and not self.problems:
            self.wrong(path, f"an entry with at least one price: {', '.join(_METERS)} or tiers", "without any")
        return Change(MappingProxyType(prices), tiers)

    def tiers(self, node: Node | None, path: Path) -> tuple[Tier, ...]:
        found: list[Tier] = []
        for index, item in enumerate(self.items(node, path)):
            here: Path = (*path, index)
            given = self.mapping(item, here, _TIER)
            start = self.number(given, here, "from_gb_s", most=1e15, unit="GB-seconds a month", needed=True)
            price = self.price(given, here, "usd_per_gb_s", needed=True)
            if start is None or price is None:
                continue
            if (not found and start) or (found and start <= found[-1].from_gb_s):
                rule = "above that of the tier before" if found else "0 in the first tier"
                self.wrong((*here, "from_gb_s"), rule, given["from_gb_s"])
            found.append(Tier(start, price))
        return tuple(found)

    def region(self, given: Mapping[str, Node], path: Path) -> str:
        node = given.get("region")
        if node is None or not isinstance(node.value, str) or not _REGION.fullmatch(node.value):
            self.wrong((*path, "region"), "a Region such as eu-west-1", node or MISSING)
            return ""
        return node.value

    def architecture(self, given: Mapping[str, Node], path: Path) -> str:
        node = given.get("architecture")
        if node is None or node.value not in ARCHITECTURES:
            self.wrong((*path, "architecture"), f"one of {', '.join(ARCHITECTURES)}", node or MISSING)
            return ""
        return str(node.value)

    def price(self, given: Mapping[str, Node], path: Path, key: str, *, needed: bool = False) -> float | None:
        per = "a million requests? divide by 1,000,000" if key == "request_usd" else "an hour? divide by 3,600"
        unit = "USD a request" if key == "request_usd" else "USD a GB-second"
        hint = f"is it the price of {per}"
        return self.number(given, path, key, most=_LARGEST_PRICE, unit=unit, hint=hint, needed=needed)

    def number(
        self,
        given: Mapping[str, Node],
        path: Path,
        key: str,
        *,
        most: float,
        unit: str,
        hint: str = "",
        needed: bool = False,
    ) -> float | None:
        """A number from 0 to `most`; None (and told) where it is none."""
        node = given.get(key)
        if node is None:
            if needed:
                self.wrong((*path, key), f"a number of {unit}", MISSING)
            return None
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.wrong((*path, key), f"a number of {unit}", node)
            return None
        if not 0 <= value <= most:
            self.wrong((*path, key), f"from 0 to {most:g} {unit}", node, hint if value > most else "")
            return None
        return float(value)

    def monthly(self, top: Mapping[str, Node]) -> dict[str, float]:
        if "monthly_gb_s" not in top:
            return {}
        given = self.mapping(top["monthly_gb_s"], ("monthly_gb_s",), ARCHITECTURES)
        numbers = {
            name: self.number(given, ("monthly_gb_s",), name, most=1e15, unit="GB-seconds a month")
            for name in ARCHITECTURES
        }
        return {name: number for name, number in numbers.items() if number is not None}


def _merged(
    listed: Mapping[tuple[str, str], Change], rates: Mapping[tuple[str, str], Change]
) -> dict[tuple[str, str], Change]:
    """Prices with the rates of a Savings Plan over them."""
    found = dict(listed)
    for key, rate in rates.items():
        under = found.get(key, Change(MappingProxyType({})))
        tiers = rate.tiers or (() if "on_demand_usd_per_gb_s" in rate.prices else under.tiers)
        found[key] = Change(MappingProxyType({**under.prices, **rate.prices}), tiers)
    return found
