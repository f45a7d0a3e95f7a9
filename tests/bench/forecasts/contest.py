"""One trace's contest: asks Warmcast here and the peers in their own environment, with one thread each.

Starts a process, and keeps what the peers said under `build/peers`.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from bench.forecasts.cut import AHEAD, DAY, STEP_MINUTES, STEP_S, Cut, means
from bench.forecasts.score import LEVELS, Contest, Told
from traces import series
from warmcast.forecast import forecast, learn
from warmcast.model import Forecast, History, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warmcast.model import FloatArray

ROOT: Final = Path(__file__).parents[3]
PEERS_PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"
KEPT: Final = ROOT / "build" / "peers"
"""What the peers said once: they take minutes, and say the same of the same."""

WARMCAST: Final = "Warmcast"
FED_AS_PEERS: Final = "Warmcast, fed 15-minute means"

_FED_MINUTES: Final = 5
_ZONE: Final = ZoneInfo("UTC")  # as the traces' own days are counted
_HORIZON: Final = timedelta(minutes=AHEAD * STEP_MINUTES)
_ALONE: Final = {
    "PYTHONPATH": str(ROOT / "tests"),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def hold(cut: Cut) -> Contest:
    """Everyone's forecasts of one trace."""
    known = [cut.known(origin) for origin in cut.origins]
    answers = ask_peers(known, kept_in(known))
    lag = np.repeat(cut.last_week()[:, None], len(LEVELS), axis=1)
    return Contest(
        name=cut.name,
        scale=cut.scale(),
        actual=cut.actual(),
        ours=ask_warmcast(cut),
        peers=answers.told,
        lag=Told(lag, np.zeros(len(cut.origins))),
        failures=answers.failures,
        peers_version=answers.version,
    )


# --- Warmcast --------------------------------------------------------------------------------------------------------


def ask_warmcast(cut: Cut) -> dict[str, Told]:
    """Warmcast's forecasts from 5-minute steps, as it reads them, and from the peers' steps."""
    return {WARMCAST: _told(cut, _FED_MINUTES), FED_AS_PEERS: _told(cut, STEP_MINUTES)}


def _told(cut: Cut, fed_minutes: int) -> Told:
    said = [_say(cut, origin, fed_minutes) for origin in cut.origins]
    return Told(np.stack([each.quantiles[0] for each in said]), np.concatenate([each.took_s for each in said]))


def _say(cut: Cut, origin: int, fed_minutes: int) -> Told:
    """Learn from what is known at one origin, and forecast: a step's quantile is the mean of its minutes' quantiles."""
    history = fed(cut, origin, fed_minutes)
    now = datetime.fromtimestamp(cut.start + origin * STEP_S, UTC)
    began = time.perf_counter()
    learned = learn(history, zone=_ZONE, now=now)
    shown = forecast(history, learned, zone=_ZONE, now=now, horizon=_HORIZON)
    took_s = time.perf_counter() - began
    if not isinstance(shown, Forecast):
        return Told(np.full((1, len(LEVELS), AHEAD), np.nan), np.array([took_s]))
    quantiles = np.stack([means(shown.quantile(level), STEP_MINUTES) for level in LEVELS])
    return Told(quantiles[None], np.array([took_s]))


def fed(cut: Cut, origin: int, minutes: int) -> History:
    """14 days of 5-minute steps up to an origin, each the mean over so many minutes."""
    known = cut.known_minutes(origin)
    start = cut.start + origin * STEP_S - 60 * len(known)
    steps = np.repeat(means(known, minutes), minutes // _FED_MINUTES)
    return History(coarse=series(start, 60 * _FED_MINUTES, steps), fine=Series.empty(start + 60 * len(known), 60))


# --- the peers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answers:
    """What the peers said, by name; what those that failed said of it; statsforecast's version."""

    told: dict[str, Told]
    failures: dict[str, str]
    version: str


def kept_in(known: Sequence[FloatArray]) -> Path:
    """Folder that keeps the peers' answers to this question: these series, these models, these versions."""
    asked = hashlib.sha256()
    for path in (Path(__file__).with_name("peers.py"), ROOT / "requirements" / "peers.txt"):
        asked.update(path.read_bytes())
    for steps in known:
        asked.update(f"{len(steps)}:".encode() + steps.tobytes())
    return KEPT / asked.hexdigest()[:16]


def ask_peers(known: Sequence[FloatArray], folder: Path, *names: str) -> Answers:
    """Every peer's forecasts (or those of the peers named) from each of these histories, made in their environment.

    One process, one thread. Answers that stand in the folder already are not asked for again.
    """
    answers = folder / "told.json"  # written last
    if not answers.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / "known.npz", *known)
        command = [str(PEERS_PYTHON), "-m", "bench.forecasts.peers", str(folder), str(DAY), str(AHEAD), *names]
        subprocess.run(command, env=os.environ | _ALONE, check=True)  # noqa: S603 - our own module
    told = json.loads(answers.read_text(encoding="utf-8"))
    with np.load(folder / "foreseen.npz") as found:
        foreseen, took_s = found["foreseen"], found["took_s"]
    by_name = {name: Told(foreseen[nth], took_s[nth]) for nth, name in enumerate(told["names"])}
    return Answers(by_name, dict(told["failures"]), str(told["version"]))
