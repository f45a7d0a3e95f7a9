"""The price book: what a GB-second and a request cost in each Region, by which source. Pure.

Three sources, each over the one before: the bundled table of `warmcast.prices`, AWS's price list (`from_price_list`,
records that `warmcast.aws.pricing` reads), and a file of one's own (`over`, read by `warmcast.pricefile`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from warmcast.prices import AS_OF, UnitPrices, unit_prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from warmcast.pricefile import PriceFile

METHOD: Final = """\
All USD are before taxes, credits, support and the free tier, which provisioned concurrency has none of. A month is 730
hours.
- Allocation: units x the function's memory in GB x the allocation price a GB-second, whether used or not; AWS bills
  each amount from its request to its end, rounded up to five minutes.
- Idle: the same, for the units that no execution used.
- Worth: what the executions that provisioned concurrency served would have cost more on demand: GB-seconds x (duration
  price on demand - duration price on provisioned concurrency).
- Cold starts: each one's init is billed on demand since 2025-08-01; each new unit's init is billed at the duration
  price of provisioned concurrency. Backtests contain both; `scan --cold-starts`, which reads from the logs how long an
  init takes, contains that of the cold starts that are avoided. The scan's own figures and verdicts leave init out on
  both sides: CloudWatch's metrics do not tell it.
- USD per cold start avoided: (allocation - worth - init saved, where init is known) / cold starts avoided. Below 0: it
  saves money as well.
- Break-even: allocation price / (on-demand - provisioned duration price), the utilization above which a unit is
  cheaper than on demand. With tiers it is reckoned at the price of the last GB-second, which is the one that changes.
"""
"""What each USD figure of a report is; printed with it."""

ARCHITECTURES: Final = ("x86_64", "arm64")
MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Tier:
    """From this many GB-seconds a month on, on-demand duration costs this much."""

    from_gb_s: float
    usd_per_gb_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """The prices of one Region and architecture; `tiers` of on-demand duration, empty where they are not known."""

    prices: UnitPrices
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A product of AWS's price list: its Region, group and usage type, and its price by tier, the first one first."""

    region: str
    group: str
    usage_type: str
    tiers: tuple[Tier, ...]


Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by Region and architecture.

    Args:
        source: where they are from and of when, to stand beside every figure.
        notes: what is to be known of them, a sentence each.
        saving_note: to be said wherever a saving is reported; empty: savings are real.
    """

    source: str
    notes: tuple[str, ...] = ()
    saving_note: str = ""
    entries: Mapping[Key, Entry] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def told(self) -> str:
        """The source with what it does to a saving, as it stands beside figures."""
        return f"{self.source} ({self.saving_note.removesuffix('.')})" if self.saving_note else self.source

    def of(self, region: str, architecture: str) -> UnitPrices:
        """The prices of a Region and architecture; those of the bundled table where the source has none."""
        return self.entry(region, architecture).prices

    def entry(self, region: str, architecture: str) -> Entry:
        """The same with tiers, where they are known."""
        found = self.entries.get((region, architecture))
        return found or Entry(unit_prices(region, architecture), _LISTED_TIERS.get((region, architecture), ()))

    def noting(self, *notes: str) -> PriceBook:
        """The same with more to be known of it."""
        return replace(self, notes=(*self.notes, *notes))

    def over(self, file: PriceFile) -> PriceBook:
        """The same with a file's prices over it."""
        entries = {}
        for key in {*file.prices, *self.entries, *_LISTED_TIERS}:
            entry = self.entry(*key)
            changed = file.prices[key].over(entry) if key in file.prices else entry
            entries[key] = _at(changed, file.monthly_gb_s.get(key[1], 0.0))
        notes = [note for note in (file.tier_note, file.saving_note) if note]
        source = f"{file.source} over {self.source}"
        return PriceBook(source, (*self.notes, *notes), file.saving_note, MappingProxyType(entries))


def listed() -> PriceBook:
    """The bundled table of list prices."""
    return PriceBook(
        source=f"bundled list prices of {AS_OF}",
        notes=("Bundled prices may have changed since; Regions and architectures that they lack are assumed.",),
    )


def _at(entry: Entry, monthly_gb_s: float) -> Entry:
    """The prices at so much on-demand duration a month: that of the last GB-second, the one that a change changes."""
    reached = [tier for tier in entry.tiers if tier.from_gb_s <= monthly_gb_s]
    if not monthly_gb_s or not reached:
        return entry
    return replace(entry, prices=replace(entry.prices, on_demand_usd_per_gb_s=reached[-1].usd_per_gb_s))


# --- AWS's price list ------------------------------------------------------------------------------------------------

_METERS: Final = MappingProxyType(
    {
        "allocation_usd_per_gb_s": ("AWS-Lambda-Provisioned-Concurrency", "Lambda-Provisioned-Concurrency"),
        "duration_usd_per_gb_s": ("AWS-Lambda-Duration-Provisioned", "Lambda-Provisioned-GB-Second"),
        "on_demand_usd_per_gb_s": ("AWS-Lambda-Duration", "Lambda-GB-Second"),
        "request_usd": ("AWS-Lambda-Requests", "Request"),
    }
)
"""A product's group and the end of its usage type, by the price's name in `UnitPrices`; for arm64 both end in -ARM."""


def from_price_list(products: Iterable[ListedPrice], *, read_on: date, regions: Sequence[str] = ()) -> PriceBook:
    """Prices of AWS's price list; whatever it lacks is the bundled table's, marked as assumed and told.

    Args:
        products: of any Region and group; unknown ones are passed over.
        read_on: shown in the source.
        regions: that were asked for; those without any product are told.
    """
    found = list(products)
    known = sorted({product.region for product in found})
    entries: dict[Key, Entry] = {}
    lacking: list[str] = []
    for key in ((region, architecture) for region in known for architecture in ARCHITECTURES):
        mine = [product for product in found if product.region == key[0]]
        entry, missing = _entry(mine, key)
        entries[key] = entry
        lacking += [f"{' '.join(key)}: {', '.join(missing)}"] if missing else []
    lacking += [f"{region}: all of them" for region in sorted(set(regions) - set(known))]
    notes = (f"not in the price list, bundled prices instead: {_some(lacking)}",) if lacking else ()
    return PriceBook(f"AWS Price List, read {read_on.isoformat()}", notes, entries=MappingProxyType(entries))


def _entry(products: Sequence[ListedPrice], key: Key) -> tuple[Entry, list[str]]:
    """A Region's and architecture's prices, and the meters that the price list lacks for them."""
    suffix = "-ARM" if key[1] == "arm64" else ""
    bundled = unit_prices(*key)
    tiers = {name: _tiers(products, group + suffix, usage + suffix) for name, (group, usage) in _METERS.items()}
    missing = [name for name, each in tiers.items() if not each]
    firsts = {name: each[0].usd_per_gb_s if each else float(getattr(bundled, name)) for name, each in tiers.items()}
    prices = UnitPrices(**firsts, assumed=bool(missing))
    return Entry(prices, tiers["on_demand_usd_per_gb_s"]), missing


def _tiers(products: Sequence[ListedPrice], group: str, usage: str) -> tuple[Tier, ...]:
    """The tiers of a group's product; none where it has none, or several whose prices differ."""
    mine = [product for product in products if product.group == group and product.tiers]
    exact = [product for product in mine if product.usage_type == usage or product.usage_type.endswith(f"-{usage}")]
    chosen = exact or mine
    prices = {product.tiers for product in chosen}
    return prices.pop() if len(prices) == 1 else ()


def _some(words: Sequence[str]) -> str:
    """A few of them, and how many more."""
    rest = len(words) - MOST_NAMED
    return "; ".join(words[:MOST_NAMED]) + (f"; and {rest} more" if rest > 0 else "")


_LISTED_TIERS: Final[Mapping[Key, tuple[Tier, ...]]] = MappingProxyType(
    {
        ("us-east-1", "x86_64"): (Tier(0, 0.0000166667), Tier(6e9, 0.000015), Tier(15e9, 0.0000133334)),
        ("us-east-1", "arm64"): (Tier(0, 0.0000133334), Tier(7.5e9, 0.0000120001), Tier(18.75e9, 0.0000106667)),
    }
)
"""Tiers of on-demand duration that the bundled table knows."""
