"""Incidents, each a gate: an outage and its surge, a push, a failover, ... worked into real or drawn traffic.

- `scene`: where in a trace an incident is placed; the changed trace, and what else befalls the target.
- `catalogue`: the incidents, each a pure function Trace -> Scene.
- `invariants`: what must never happen, checked on the capacity that was requested; knows nothing of the brain.
- `echo`: what the next day and week still show of an incident.
- `play`: a scene through the production brain and through target tracking; the verdict.
- `gauntlet`: every incident on one file's traffic; `table`: verdicts as rows.

`python -m incidents DIR` plays every incident on every trace of a directory.
"""
