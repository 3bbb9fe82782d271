"""The instrument: peak memory, step time, sameness; one cell at a time, alone on the machine.

`supervise` runs in the commanding process without torch; `worker` and `cell` run in the measured one.
"""
