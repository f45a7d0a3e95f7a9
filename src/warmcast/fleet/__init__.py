"""The fleet: what people write of each target in Git, read into typed policies with a finding for whatever is wrong."""

from warmcast.fleet.cron import Cron
from warmcast.fleet.findings import Finding, Severity
from warmcast.fleet.load import Fleet, Home, load_fleet
from warmcast.fleet.objective import ColdStartCost, ColdStarts, Objective, Savings, Spillover
from warmcast.fleet.policy import CapacityRange, OnRemove, OnSlow, Policy, Repeated, Weekly, Window

__all__ = [
    "CapacityRange",
    "ColdStartCost",
    "ColdStarts",
    "Cron",
    "Finding",
    "Fleet",
    "Home",
    "Objective",
    "OnRemove",
    "OnSlow",
    "Policy",
    "Repeated",
    "Savings",
    "Severity",
    "Spillover",
    "Weekly",
    "Window",
    "load_fleet",
]
