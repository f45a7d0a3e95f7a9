"""The machine that is measured on, and a fixed piece of work that its speed is told by."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

_LOOPS: Final = 2_000_000
_SORTED: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on.

    Args:
        reference_s: processor time of the reference workload, median of five.
    """

    processor: str
    cores: int
    python: str
    numpy: str
    reference_s: float


def describe() -> Machine:
    """This machine; takes some seconds."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        numpy=np.__version__,
        reference_s=reference_s(),
    )


def reference_s(runs: int = 5) -> float:
    """Processor seconds of the reference workload: a plain loop over 2 million integers, then numpy sorts 2 million."""
    return statistics.median(_reference_once() for _ in range(runs))


def _reference_once() -> float:
    values = np.random.default_rng(1).random(_SORTED)
    began = time.process_time()
    total = 0
    for number in range(_LOOPS):
        total += number % 7
    assert total
    np.sort(values)
    return time.process_time() - began


def peak_mb() -> float:
    """Most memory that this process ever had resident, in MB (2^20).

    Linux tells it of the program itself; `ru_maxrss` may be that of the process that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        kib = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(kib.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
