"""What Lambda says when it imports a package that was built for another processor."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from warmcast import handler, start

SOURCE = Path(__file__).parents[1] / "src/warmcast"
HERE = platform.machine()
ELSEWHERE = "aarch64" if HERE == "x86_64" else "x86_64"


def package(folder: Path, *, compiled_for: str) -> Path:
    """A built package as far as it matters: our code, and a library with one compiled module that is no good."""
    shutil.copytree(SOURCE, folder / "warmcast", ignore=shutil.ignore_patterns("__pycache__"))
    library = folder / "pydantic_core"
    library.mkdir()
    (library / f"_pydantic_core.cpython-313-{compiled_for}-linux-gnu.so").touch()
    return folder


def error_of_importing(folder: Path) -> str:
    """The last line that Python says, with nothing installed but the package."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import warmcast.start"
    outcome = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 1
    return outcome.stderr.strip().splitlines()[-1]


@pytest.mark.skipif(HERE not in start.ARCHITECTURES, reason="Lambda has no such processor")
def test_a_package_for_another_processor_says_so_and_what_to_do(tmp_path: Path) -> None:
    """The function's own error names both processors and the build that would fit."""
    error = error_of_importing(package(tmp_path, compiled_for=ELSEWHERE))
    built, wanted = start.ARCHITECTURES[ELSEWHERE], start.ARCHITECTURES[HERE]
    assert f"the package was built for {built} and the function is {wanted}" in error
    assert f"sam build --parameter-overrides Architecture={wanted}" in error


def test_any_other_error_of_importing_stays_as_it_is(tmp_path: Path) -> None:
    """A package for this very processor that lacks a library fails in Python's words."""
    error = error_of_importing(package(tmp_path, compiled_for=HERE))
    assert error.startswith("ModuleNotFoundError: No module named")


def test_what_lambda_calls_is_the_handler() -> None:
    """Nothing lies between the two where all is well."""
    assert start.handler is handler.handler


def test_the_processors_of_a_package_are_read_off_its_compiled_modules(tmp_path: Path) -> None:
    """Folders without any say nothing, and so does a module for every processor."""
    assert start.processors_of(tmp_path) == set()
    for name in ("one/a.cpython-313-aarch64-linux-gnu.so", "two/b.cpython-313-x86_64-linux-gnu.so", "two/c.abi3.so"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert start.processors_of(tmp_path) == {"aarch64", "x86_64"}
