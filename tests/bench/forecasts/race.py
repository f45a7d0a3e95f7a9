"""How long Warmcast thinks about a series, beside statsforecast's AutoETS in the same run."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.forecasts.contest import PEERS_PYTHON, WARMCAST, ask_peers, ask_warmcast
from bench.forecasts.cut import MOST_KNOWN, STEP_MINUTES, Cut
from traces import MONDAY, drawn

PEER: Final = "AutoETS"
PROFILE: Final = "nyc-taxi"
ROUNDS: Final = 5
DAYS: Final = MOST_KNOWN * STEP_MINUTES // (24 * 60)


@dataclass(frozen=True, slots=True)
class Race:
    """Seconds of wall time to learn (or fit) 14 days and to forecast the next, medians."""

    warmcast_s: float
    peer_s: float


def measure() -> Race | None:
    """Both over the same series, several times; None where the peers are not installed."""
    if not PEERS_PYTHON.exists():
        return None
    start = MONDAY - timedelta(days=DAYS)
    series = Cut(PROFILE, int(start.timestamp()), drawn(PROFILE, start=start, days=DAYS + 1), (MOST_KNOWN,) * ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        peer = ask_peers([series.known(origin) for origin in series.origins], Path(folder), PEER).told[PEER]
    return Race(
        warmcast_s=statistics.median(ask_warmcast(series)[WARMCAST].took_s), peer_s=statistics.median(peer.took_s)
    )
