"""The simulator: what a policy would have cost and spilled on a demand trace, beside what a user would have otherwise.

In the order in which a backtest uses them; all but `reading` and `picture` are pure:

- `trace`: minutes of demand, a gap is NaN; `reading` makes one of a CSV file.
- `conditions`: what befalls the target beside its demand: throttles, routing weights, a reserved limit.
- `world`: what a trace doesn't tell (durations, prices, lead time), and the world's arithmetic: when capacity is READY,
  what share spills (Erlang's B), how many units a demand needs, what AWS bills.
- `replay`: a policy through the production brain, tick by tick; the requested capacity of each minute.
- `baselines`: the requested capacity of each minute of what the user would have otherwise; `tracking`: Application Auto
  Scaling's target tracking, the one of them that must be stepped through.
- `cold`: cold starts expected in each minute.
- `score`: a policy's bill, spillover and cold starts, from its requested capacity and the trace.
- `compare`: a policy and all baselines on one trace, scored; `verdict`: what that says in figures and words; `picture`.
"""
