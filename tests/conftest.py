"""What holds for every test: how long an example of Hypothesis takes on a busy machine is no finding."""

from __future__ import annotations

import os

from hypothesis import settings

if not os.environ.get("CI"):  # Hypothesis's own profile for CI has no deadline either
    settings.register_profile("any-machine", deadline=None)
    settings.load_profile("any-machine")
