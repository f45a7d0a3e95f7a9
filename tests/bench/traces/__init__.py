"""Warmcast against everything that a user could run instead, on traces of real traffic (`make bench-traces`).

sweep      one trace: every policy at every setting, through the production brain and the simulator
frontier   what a policy costs at a level of spillover or cold starts, read off its settings
ratios     Warmcast over another policy, trace by trace, and their geometric mean
aims       the ratios that the project promises, and whether they are met
tables     all that is told, `page` as Markdown, `picture` the frontiers
"""
