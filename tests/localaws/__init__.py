"""A local AWS for tests, the demo and `sam local invoke`: moto, and beside it what moto lacks. See README.md."""

from localaws.clock import Clock
from localaws.control import Control, RemoteControl
from localaws.control_base import ControlError
from localaws.control_metrics import Series, Traffic
from localaws.faults import RateLimit
from localaws.server import LocalAws

__all__ = ["Clock", "Control", "ControlError", "LocalAws", "RateLimit", "RemoteControl", "Series", "Traffic"]
