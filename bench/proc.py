"""What the system says of processes: their children, memory and time, and whose a connection is."""

import os
from collections.abc import Iterable
from pathlib import Path

from load import Connection

LISTEN_COLUMNS = (1, 2, 9)  # of /proc/net/tcp: here, there, and the number of the socket


def family(pid: int) -> list[int]:
    """A process and all that come from it, those of a supervisor and of PostgreSQL too."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += map(int, task.read_text(encoding="utf-8").split())
    return found


def memory_mb(pid: int) -> float:
    """How much memory a process and its children have in use; what they share counts for each."""
    return sum(map(memory_of_one_mb, family(pid)))


def memory_of_one_mb(pid: int) -> float:
    """How much memory one process has in use."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) / 1024


def cpu_s(pid: int) -> float:
    """How many seconds of a processor a process and its children have used."""
    return sum(map(cpu_of_one_s, family(pid)))


def cpu_of_one_s(pid: int) -> float:
    """How many seconds of a processor one process has used; it and those that it has outlived."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def servers(pid: int) -> list[int]:
    """The processes that answer calls: those of a supervisor, or the one there is."""
    children = family(pid)[1:]
    return children or [pid]


def owners(connections: Iterable[Connection], pids: Iterable[int]) -> list[int | None]:
    """Which of these processes has the other end of each connection; None: nobody took it yet."""
    numbers = sockets()
    owner = {number: pid for pid in pids for number in sockets_of(pid)}
    found = []
    for connection in connections:
        here = connection.transport.get_extra_info("sockname")[1]
        there = connection.transport.get_extra_info("peername")[1]
        found.append(owner.get(numbers.get((there, here), "")))
    return found


def sockets() -> dict[tuple[int, int], str]:
    """The numbers of all connections of this machine, by their two ports."""
    found = {}
    for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]:
        here, there, number = (line.split()[column] for column in LISTEN_COLUMNS)
        found[int(here.partition(":")[2], 16), int(there.partition(":")[2], 16)] = number
    return found


def sockets_of(pid: int) -> list[str]:
    """The numbers of the sockets that a process has."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            link = str(each.readlink())
        except OSError:  # closed meanwhile
            continue
        if link.startswith("socket:["):
            found.append(link[8:-1])
    return found
