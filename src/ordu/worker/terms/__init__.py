"""The owner's terms: when this machine is lent, and how its owner takes it back for a while.

`hours`, `machine` and `pause` each know one reason to take no job; `owner` is the gate that puts
them together and that the worker's loop asks. `running` is what other processes see of a worker
at work, so that `ordu worker pause` and its like find it.
"""
