"""What Application Auto Scaling does for an alias today, as a policy of the fleet with the same floor and ceiling.

| module | |
| --- | --- |
| crons | AWS's `cron(...)`, `at(...)` and `rate(...)`: what they mean, and the same in the fleet's cron |
| firing | when scheduled actions set what, and the step function of time that this leaves |
| weekly | a step function that repeats every week, as windows |
| dated | what happens on certain dates, as cron windows over the weekly ones |
| windows | a window while it is being drawn |
| checking | whether windows give the same step function, by the fleet's own calendar |
| sorting | which actions are in force, over, or not to be read |
| ways | one bound in one zone: the ways to write it, and the rules for which there is none |
| drawing | both bounds in one zone: capacity and windows, and what could not be drawn |
| wording | what a person has to know beside |
| translate | one scalable target: all of that |
| gather | everything of an account's Region, read through the ports of a scan and translated |
| writing | all of it as YAML with comments, and as JSON |

Pure but for `gather`.
"""
