"""The peers: statsforecast's models, asked for quantiles. `python -m bench.forecasts.peers`, in .venv-peers alone.

Reads the series that it is given (`known.npz`, an array for each origin), writes what each model foresees, how long
that took and what went wrong. Knows nothing of Warmcast.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from statsforecast.models import (  # type: ignore[import-not-found] # .venv-peers alone has it
    MSTL,
    AutoARIMA,
    AutoCES,
    AutoETS,
    AutoTheta,
    ConformalSeasonalPool,
    DynamicOptimizedTheta,
    HistoricAverage,
    Naive,
    SeasonalNaive,
    SeasonalWindowAverage,
    WindowAverage,
)
from statsforecast.utils import ConformalIntervals  # type: ignore[import-not-found] # .venv-peers alone has it

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

BANDS: Final = (80, 98)
"""Central intervals in percent: their upper ends are the quantiles 0.9 and 0.99."""

QUANTILES: Final = ("mean", "hi-80", "hi-98")


class Model(Protocol):
    """What we use of a statsforecast model."""

    def forecast(self, *, y: FloatArray, h: int, level: list[int]) -> Mapping[str, FloatArray]:
        """Fit to y and look h steps ahead."""


def models(day: int, ahead: int) -> dict[str, Callable[[], Model]]:
    """Every peer by name, for series of so many steps a day."""
    week = 7 * day

    def conformal(windows: int) -> object:
        return ConformalIntervals(n_windows=windows, h=ahead)

    return {
        "Naive": Naive,
        "HistoricAverage": HistoricAverage,
        "WindowAverage, 2 hours": lambda: WindowAverage(day // 12, prediction_intervals=conformal(7)),
        "SeasonalNaive, day": lambda: SeasonalNaive(day),
        "SeasonalNaive, week": lambda: SeasonalNaive(week),
        "SeasonalWindowAverage, 3 days": lambda: SeasonalWindowAverage(day, 3, prediction_intervals=conformal(4)),
        "ConformalSeasonalPool, day": lambda: ConformalSeasonalPool(day),
        "ConformalSeasonalPool, week": lambda: ConformalSeasonalPool(week),
        "AutoETS": lambda: AutoETS(season_length=day),
        "AutoTheta": lambda: AutoTheta(season_length=day),
        "DynamicOptimizedTheta": lambda: DynamicOptimizedTheta(season_length=day),
        "AutoCES": lambda: AutoCES(season_length=day),
        "AutoARIMA, no season": AutoARIMA,
        "MSTL, day": lambda: MSTL([day]),
        "MSTL, day and week": lambda: MSTL([day, week]),
        "MSTL, day, AutoARIMA": lambda: MSTL([day], trend_forecaster=AutoARIMA()),
    }


def asked(model: Model, known: FloatArray, ahead: int) -> FloatArray:
    """Quantiles 0.5, 0.9 and 0.99 of the steps ahead, shape (3, ahead); what is negative is 0, in the peer's favour."""
    found = model.forecast(y=known, h=ahead, level=list(BANDS))
    return np.maximum(np.stack([found[name] for name in QUANTILES]), 0.0)


def main(folder: Path, day: int, ahead: int, *names: str) -> None:
    """Ask every model (or those named) at every origin; `foreseen.npz` and `told.json` beside say what came of it."""
    with np.load(folder / "known.npz") as given:
        series = [given[f"arr_{nth}"] for nth in range(len(given.files))]
    peers = {name: make for name, make in models(day, ahead).items() if not names or name in names}
    foreseen = np.full((len(peers), len(series), len(QUANTILES), ahead), np.nan)
    took_s = np.zeros((len(peers), len(series)))
    failures: dict[str, str] = {}
    for (row, (name, make)), (column, known) in (
        (peer, origin) for peer in enumerate(peers.items()) for origin in enumerate(series)
    ):
        began = time.perf_counter()
        try:
            foreseen[row, column] = asked(make(), known, ahead)
        except Exception as error:  # noqa: BLE001 - whatever a peer raises is its result, and is told
            failures[name] = f"{type(error).__name__}: {error}"
        took_s[row, column] = time.perf_counter() - began
    np.savez(folder / "foreseen.npz", foreseen=foreseen, took_s=took_s)
    told = {"names": list(peers), "failures": failures, "version": version("statsforecast")}
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of seasons too long for a model: the page tells of that
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
