"""What Lambda imports: the handler, or why there is none.

A package that was built for another processor than the function's fails in the middle of the first compiled module, in
words that lead nowhere. It is said here instead, in the function's own error. Touches the package's folder, read only.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path

PACKAGE_ROOT = Path(__file__).parents[1]
ARCHITECTURES = {"aarch64": "arm64", "x86_64": "x86_64"}
"""Python's names of Linux's processors, and Lambda's."""


def processors_of(root: Path) -> set[str]:
    """For which processors the compiled modules of a package are, by their names (PEP 3149)."""
    found = (re.search(r"-(aarch64|x86_64)-linux-gnu\.so$", path.name) for path in root.glob("*/*.so"))
    return {match[1] for match in found if match}


try:
    from warmcast.handler import handler
except ImportError as error:
    built, here = processors_of(PACKAGE_ROOT), platform.machine()
    if not built or here in built:
        raise
    wanted = ARCHITECTURES.get(here, here)
    raise ImportError(
        f"the package was built for {', '.join(sorted(ARCHITECTURES[each] for each in built))} and the function is "
        f"{wanted}: build with the parameters of the deployment (sam build --parameter-overrides Architecture={wanted})"
    ) from error

__all__ = ["handler"]
