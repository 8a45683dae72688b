"""The simulation: the real verbs, lanes and store, driven by a seeded scheduler.

Nothing here waits, races or tells the time by itself. An agenda says what happens next, a seed
decides everything that chance decides, and the clock is moved from one event to the next. So a seed
is a story that can be told again, and a story in which a promise is broken is a test.

What is real: the verbs of `engine/`, the map, the presence, the sweeper, group commit, SQL on
SQLite. What stands in: time, the network, the disk (SQLite in memory, pictures in a dict), the
people and the workers. See docs/adr/0016-simulation.md.

Several servers may share one database (`together`, `truth`, `exchange`, `shared`): then the real
`PostgresDatabase`, `PostgresChannel`, tidings and `Elsewhere` run as well, and transactions take no
time, one after the other.
"""
