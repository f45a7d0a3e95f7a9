"""The demo from end to end: the real handler, tick by tick, against the local AWS over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo.__main__ import main
from demo.day import Plan, Player, play
from demo.targets import Part
from demo.traffic import DAY_MINUTES, Traffic, draw_load

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

FLEET = """
targets:
  - {function: shop, qualifier: live, mode: apply, capacity: {min: 1, max: 100}, objective: {spillover: 1%}}
  - {function: news, qualifier: live, mode: observe, capacity: {min: 1, max: 100}}
"""


def rush(name: str) -> Traffic:
    """Two weeks and a day of demand 2, and of 20 from 01:00 to 02:00 each night."""
    minute = np.arange(15 * DAY_MINUTES) % DAY_MINUTES
    demand = np.where((minute >= 60) & (minute < 120), 20.0, 2.0)
    return Traffic(name, int(MONDAY.timestamp()) - 14 * 86_400, demand, 14 * DAY_MINUTES)


def player(name: str, *, by_hand: bool = False) -> Player:
    """A function of that name in the rush."""
    part = Part(name, name, "a rush", 0.5, 1024, by_hand=by_hand)
    return Player(part, rush(name), draw_load(rush(name).demand, 0.5, np.random.default_rng(1)))


def test_capacity_is_up_before_the_peak_and_down_after_it(tmp_path: Path) -> None:
    """What the nightly rush needs is READY when it comes at 01:00, and given back within the half hour after it."""
    fleet = tmp_path / "fleet"
    fleet.mkdir()
    (fleet / "shop.yaml").write_text(FLEET, encoding="utf-8")
    plan = Plan(fleet=fleet, day=MONDAY, minutes=160, log=tmp_path / "ticks.log")
    seen: list[datetime] = []

    played = play([player("shop"), player("news", by_hand=True)], plan, on_minute=lambda at, _: seen.append(at))

    shop, news = played.days
    assert played.failures == ()
    assert seen[0] == MONDAY
    assert len(seen) == 160
    assert shop.ready[30] < 15
    assert shop.ready[60] >= 25
    assert shop.ready[60:120].min() >= 25
    assert shop.ready[150] < 15
    assert shop.spillover < 0.015
    assert shop.usd < 0.8 * shop.static_usd
    assert set(news.ready) == {news.static}
    assert news.wanted[60] >= 25
    assert news.wanted[30] < 15


def test_the_demo_draws_tells_and_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The drawn targets for an hour: a table, a picture, a log with every decision, and what to do next."""
    assert main(["--out", str(tmp_path), "--hours", "1"]) == 0
    out = capsys.readouterr().out
    assert "drawn from measured weekly profiles" in out
    assert "ride-requests:live" in out
    assert "us-east-1 list prices" in out
    assert "sam deploy" in out
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    lines = [json.loads(line) for line in (tmp_path / "ticks.log").read_text(encoding="utf-8").splitlines()]
    decisions = [line for line in lines if line.get("target") == "checkout-api:live"]
    assert len(decisions) == 12
    assert all(decision["reason"] for decision in decisions)


def test_traces_are_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with one trace of nine days plays its last working day, with a fleet written for it."""
    traces = tmp_path / "traces"
    traces.mkdir()
    minutes = np.datetime64("2014-05-12T00:00") + np.arange(9 * DAY_MINUTES)
    rows = [f"{minute}Z,{5 + 3 * (index % 1440 >= 720)}" for index, minute in enumerate(minutes)]
    (traces / "till.csv").write_text("timestamp,concurrency\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert main(["--traces", str(traces), "--out", str(tmp_path / "out"), "--hours", "1"]) == 0
    out = capsys.readouterr().out
    assert "Tuesday 3 March 2026" in out
    assert "till:live" in out
    assert "function: till" in (tmp_path / "out" / "fleet" / "traces.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [("2014-05-12T00:00Z,much", 1, "line 2"), ("2014-05-12T00:00Z,5", 2, "no trace has a whole day")],
)
def test_bad_traces_end_with_a_message_and_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, code: int, message: str
) -> None:
    """A malformed row is a finding, 1; traces that can't be played, or no folder at all, are wrong usage, 2."""
    (tmp_path / "till.csv").write_text(f"timestamp,concurrency\n{row}\n", encoding="utf-8")
    assert main(["--traces", str(tmp_path), "--out", str(tmp_path / "out")]) == code
    assert message in capsys.readouterr().err
    assert main(["--traces", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "till.csv" / "out")]) == 2
    assert "no folder can be made there" in capsys.readouterr().err
