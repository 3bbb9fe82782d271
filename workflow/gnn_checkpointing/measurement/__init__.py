"""Measurement of peak memory, step time and sameness; one cell at a time, with exclusive use of the machine.

`supervise` runs in the supervising process without torch; `worker` and `cell` run in the measured one.
"""
