"""What the function weighs and how long it takes to import, each import in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BUILT: Final = ROOT / ".aws-sam" / "build" / "TickFunction"
LAMBDA_PYTHON: Final = "3.13"
PLATFORMS: Final = (
    "manylinux_2_28_aarch64",
    "manylinux_2_27_aarch64",
    "manylinux_2_17_aarch64",
    "manylinux2014_aarch64",
)
"""Wheels that run on Lambda's Amazon Linux 2023 (glibc 2.34) on arm64, the template's default."""

BIGGEST: Final = 8
NOTHING: Final = "pass"
HANDLER: Final = "import warmcast.handler"
LIBRARIES: Final = "import aws_lambda_powertools, boto3, numpy, pydantic, yaml"
"""The least that any handler with these libraries has to import."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Seconds of wall time that importing takes beyond starting Python, medians.

    Args:
        libraries_s: what `LIBRARIES` alone take.
    """

    handler_s: float
    libraries_s: float


@dataclass(frozen=True, slots=True)
class Package:
    """The unzipped package in MB (10^6 bytes).

    Args:
        origin: where it was found, in words.
        parts: the largest top-level folders, distribution metadata left out, largest first.
    """

    mb: float
    origin: str
    parts: tuple[tuple[str, float], ...]


def import_times(runs: int) -> Imported:
    """Import the handler, its libraries and nothing, in turn, so many times each."""
    statements = (NOTHING, HANDLER, LIBRARIES)
    for statement in statements:  # compile and page in what is not yet
        _seconds(statement)
    took = {statement: statistics.median(_seconds(statement) for _ in range(runs)) for statement in statements}
    return Imported(
        handler_s=took[HANDLER] - took[NOTHING],
        libraries_s=took[LIBRARIES] - took[NOTHING],
    )


def _seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT / "src", check=True)  # noqa: S603 - our own statements
    return time.perf_counter() - began


def package() -> Package | None:
    """The package that `make build` made, else one put together the same way; None where pip can't get the wheels."""
    if BUILT.is_dir():
        return weigh(BUILT, "as `make build` made it")
    with tempfile.TemporaryDirectory() as folder:
        installed = subprocess.run(_pip(folder), capture_output=True, check=False)  # noqa: S603 - fixed arguments
        if installed.returncode:
            return None
        (Path(folder) / "warmcast").symlink_to(ROOT / "src" / "warmcast")
        (Path(folder) / "fleet").symlink_to(ROOT / "src" / "fleet")
        return weigh(Path(folder), f"src and the wheels of src/requirements.txt for Python {LAMBDA_PYTHON} on arm64")


def _pip(folder: str) -> list[str]:
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]
    wanted = ["--python-version", LAMBDA_PYTHON, "--only-binary=:all:", "--no-compile", "--no-deps", "--require-hashes"]
    requirements = str(ROOT / "src" / "requirements.txt")
    return [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        folder,
        *platforms,
        *wanted,
        "-r",
        requirements,
    ]


def weigh(folder: Path, origin: str) -> Package:
    """Add up the files below a folder, compiled bytecode left out."""
    sizes = {entry.name: _bytes(entry) / 1e6 for entry in folder.iterdir()}
    shown = sorted(((name, mb) for name, mb in sizes.items() if not name.endswith(".dist-info")), key=lambda p: -p[1])
    return Package(mb=sum(sizes.values()), origin=origin, parts=tuple(shown[:BIGGEST]))


def _bytes(entry: Path) -> int:
    files = [entry] if entry.is_file() else entry.resolve().rglob("*")
    return sum(each.stat().st_size for each in files if each.is_file() and "__pycache__" not in each.parts)
