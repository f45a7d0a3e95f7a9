"""A backtest's picture: it is drawn where matplotlib is, and its absence costs nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from warmcast.simulate.picture import DPI, INCHES, Drawn, draw
from warmcast.simulate.trace import Trace

ROOT = Path(__file__).parents[1]
START = 1_772_409_600
TRACE = "timestamp,concurrency\n" + "".join(f"2026-03-02T00:{minute:02}Z,{minute % 7}\n" for minute in range(60))
POLICY = "targets:\n  - {function: checkout-api, qualifier: live, capacity: {min: 1, max: 9}}\n"

WITHOUT = """
import sys
sys.modules["matplotlib"] = None  # as if it were not installed
from warmcast.cli import main
sys.exit(main(sys.argv[1:]))
"""


def trace(minutes: int) -> Trace:
    """A trace with a gap in its middle."""
    demand = 10 + 8 * np.sin(np.arange(minutes) / 50)
    demand[minutes // 2 : minutes // 2 + 5] = np.nan
    return Trace(START, demand, demand / 0.5, np.full(minutes, np.nan))


def line(name: str, units: int, minutes: int, *, spilled: float | None = 0.01) -> Drawn:
    """A policy that keeps so many units."""
    share = None if spilled is None else np.full(minutes, spilled)
    return Drawn(name, name, np.full(minutes, units), share)


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The picture's pixels, red, green, blue and alpha from 0 to 1."""
    return np.asarray(matplotlib.image.imread(path), dtype=np.float64)


@pytest.mark.parametrize("minutes", [1, 60, 20_160])
def test_any_length_is_drawn_in_one_size(tmp_path: Path, minutes: int) -> None:
    """From a minute to weeks."""
    lines = [line("warmcast", 20, minutes), line("static_peak", 30, minutes, spilled=None)]
    draw(tmp_path / "p.png", trace(minutes), lines, title="checkout-api:live", conclusion="It works.")
    assert pixels(tmp_path / "p.png").shape[:2] == (int(INCHES[1] * DPI), int(INCHES[0] * DPI))


def test_demand_capacity_and_spillover_are_in_it(tmp_path: Path) -> None:
    """The fill of demand and each line's colour leave their mark, and go where the figures go."""
    minutes = 600
    lines = [line("warmcast", 20, minutes, spilled=0.5), line("target_tracking", 30, minutes)]
    draw(tmp_path / "p.png", trace(minutes), lines, title="checkout-api:live", conclusion="")
    seen = pixels(tmp_path / "p.png")[..., :3]
    rows = {}
    for name, colour in (("warmcast", (0, 0x40, 0x6B)), ("target_tracking", (0xD5, 0x5E, 0))):
        near = np.abs(seen - np.array(colour) / 255).max(axis=2) < 0.5  # thin lines blend with white
        drawn = near.sum(axis=1)
        rows[name] = np.flatnonzero(drawn > seen.shape[1] / 2)  # lines across the whole picture
    capacity = {name: found.min() for name, found in rows.items()}
    spilled = {name: found.max() for name, found in rows.items()}
    assert capacity["target_tracking"] < capacity["warmcast"] < seen.shape[0] * 0.65
    assert seen.shape[0] * 0.65 < spilled["warmcast"] < spilled["target_tracking"]


def test_without_matplotlib_all_else_is_written(tmp_path: Path) -> None:
    """Standard error says how to get the picture; one of an earlier run does not pass for this one's."""
    (tmp_path / "demand.csv").write_text(TRACE)
    (tmp_path / "policy.yaml").write_text(POLICY)
    out = tmp_path / "out"
    out.mkdir()
    (out / "backtest.png").write_bytes(b"of an earlier run")
    options = ["--demand", tmp_path / "demand.csv", "--policy", tmp_path / "policy.yaml", "--out", out]
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", WITHOUT, "backtest", *map(str, options)],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "no backtest.png, as matplotlib is not installed: pip install matplotlib (the extra plots)" in ran.stderr
    assert sorted(path.name for path in out.iterdir()) == ["decisions.csv", "summary.json"]
