"""An account that is prepared for a scan: a function for every verdict, each with the answer that is right for it.

| module | |
| --- | --- |
| minutes | fourteen days of minutes as Lambda reports them, by arrivals at random and Erlang's B |
| known | the words of a known answer |
| wasted, used | the functions, by what is the matter with them |
| account | all of them, prepared in a local AWS |

The answers follow from the definitions of the verdicts and from prices, not from the code that judges. They hold for
the scan's defaults: a spillover of 1%, a cold start avoided worth $0.01, a month of 730 hours.
"""
