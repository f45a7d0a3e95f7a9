"""Page: the record of a scan as one HTML file: style, script and pictures inside, nothing fetched. Pure.

Reads its own templates from the package. Names and texts of an account are escaped, and the page's content policy
lets no script run but its own.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from warmcast import __version__
from warmcast.page.sketch import HEIGHT, WIDTH, sketch_of
from warmcast.scan import telling
from warmcast.scan.limits import asked, limits_of, measured
from warmcast.scan.telling import number, share, usd

if TYPE_CHECKING:
    from warmcast.scan.record import FiguresRecord, Row, ScanRecord

TEMPLATE = "page.html.j2"


@dataclass(frozen=True, slots=True)
class Asset:
    """A style sheet or script, and the hash by which the content policy knows it."""

    text: Markup
    policy: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One of a row's figures: what it is, and how much."""

    words: str
    value: str


def page(record: ScanRecord) -> str:
    """The whole page."""
    environment = _environment()
    return environment.get_template(TEMPLATE).render(
        record=record,
        limits=limits_of(record),
        telling=telling,
        css=_asset(environment, "page.css"),
        js=_asset(environment, "page.js"),
        chart_width=WIDTH,
        chart_height=HEIGHT,
        version=__version__,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("warmcast.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        usd=usd,
        usd_change=telling.usd_change,
        share=share,
        number=number,
        measured=measured,
        asked=asked,
        tone=telling.tone,
        units=telling.units,
        sketch=sketch_of,
        facts=facts,
    )
    return environment


def _plain(value: object) -> object:
    """Texts of others lose their control characters; they are escaped after that. Our own files stay as they are."""
    return telling.printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(environment: Environment, name: str) -> Asset:
    text, _, _ = PackageLoader("warmcast.page").get_source(environment, name)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Asset(Markup(text), f"'sha256-{digest}'")  # noqa: S704 - a file of this package, not text of others


def facts(row: Row) -> list[Fact]:
    """Everything of a row that its line has no room for; what is not known is left out."""
    found = [
        Fact("version", row.version + "".join(f", {weight:.0%} to {to}" for to, weight in row.weights.items())),
        Fact("runtime", f"{row.runtime or 'container image'}, {row.architecture}, {row.memory_mb:,} MB"),
        *_standing(row),
        *(_measured(row.figures) if row.figures else ()),
        *(_costs(row.figures) if row.figures else ()),
        Fact("price and period", telling.unit_price(row)),
    ]
    return [fact for fact in found if fact.value not in {telling.NOTHING, telling.UNKNOWN}]


def _standing(row: Row) -> list[Fact]:
    if row.capacity is None:
        return []
    status = row.capacity.status.value if row.capacity.status else telling.NOTHING
    reason = f": {row.capacity.status_reason}" if row.capacity.status_reason else ""
    units = f"{row.capacity.requested} requested, {row.capacity.allocated} allocated, {status}{reason}"
    certain = row.chart.capacity_certain_share if row.chart else None
    return [
        Fact("stands now", units),
        Fact("a month, if that stays", usd(row.standing_monthly_usd)),
        Fact("time in which data tells the capacity", share(certain)),
    ]


def _measured(figures: FiguresRecord) -> list[Fact]:
    modelled = f"{number(figures.cold_starts)} as it stood, {number(figures.cold_starts_without)} without"
    return [
        Fact("invocations", number(figures.invocations)),
        Fact("throttles", number(figures.throttles)),
        Fact("mean duration", f"{number(figures.mean_duration_s)} s" if figures.mean_duration_s else telling.NOTHING),
        Fact("demand, mean and highest", f"{number(figures.mean_demand)}, {number(figures.peak_demand)}"),
        Fact("capacity, mean", number(figures.mean_capacity)),
        Fact("constant capacity that keeps the objective", number(figures.need)),
        Fact("capacity for the rate of requests", number(figures.need_by_rate)),
        Fact("cold starts, modelled", modelled),
    ]


def _costs(figures: FiguresRecord) -> list[Fact]:
    never = "never in this Region" if figures.break_even is None else share(figures.break_even)
    return [
        Fact("earned by its lower duration rate, a month", usd(figures.worth_monthly_usd)),
        Fact("that constant capacity, a month", usd(figures.need_monthly_usd)),
        Fact("best weekly table, a month", usd(figures.table_monthly_usd)),
        Fact("a cold start avoided costs", telling.fraction(figures.usd_per_cold_start)),
        Fact("cheaper than on demand from a utilization of", never),
    ]
