"""What an account's provisioned concurrency is worth: what stands there, how it is used, a verdict on each alias.

| module | |
| --- | --- |
| found | the words: what a survey finds, what CloudWatch says of it, what the scan says |
| ports | what a scan needs of AWS |
| survey | a Region's functions, aliases, capacities and scalable targets |
| choosing | which of them are measured |
| measure | each alias's series, as its usage |
| standing | the capacity that stood in each step, which no metric tells |
| extremes | highest concurrency and throttles of whole functions |
| estimate | what all of that takes and costs, beforehand |
| figures | the numbers that verdicts rest on |
| verdict | one verdict for each alias, with its evidence |
| concurrency | the account's limit and reservations, and who is close to which |
"""
