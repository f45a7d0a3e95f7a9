"""What all commands of the control interface share: how they are sent, and which account and Region they mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from localaws.wire import Json

    Arrays = Mapping[str, npt.NDArray[np.float64]]


class ControlError(Exception):
    """The control interface refused a command; the message says why."""


class Commands(ABC):
    """Commands, whatever carries them. `account` and `region` are those that they mean; empty: the default."""

    account: str = ""
    region: str = ""

    @abstractmethod
    def _send(self, command: str, payload: Json, arrays: Arrays | None = None) -> Json:
        """Run a command on the server."""

    def _here(self, payload: Json) -> Json:
        return {**payload, "account": self.account, "region": self.region}
