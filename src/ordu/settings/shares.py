"""What one caller may take of a server process: connections, waits, bodies and time."""

from typing import Annotated

from ordu.settings.setting import Settings, about

MIB = 1024 * 1024


class ShareSettings(Settings, frozen=True, kw_only=True):
    """How much of a server process there is, and how much of it one caller may have."""

    connections_max: Annotated[
        int,
        about(
            "Connections that each process keeps open, as far as the system lets it; the next one"
            " takes the place of one that is idle.",
            10,
            1_000_000,
        ),
    ] = 10_000
    connections_per_address: Annotated[
        int,
        about(
            "Connections of one address to each process, those of trusted proxies aside; 0: any.",
            0,
            1_000_000,
        ),
    ] = 256
    waits_per_caller: Annotated[
        int,
        about(
            "Calls of one address, or of one key, that may wait in each process for something to"
            " happen, streams of events among them; 0: any.",
            0,
            1_000_000,
        ),
    ] = 100
    bodies_bytes_max: Annotated[
        int,
        about(
            "Bodies of calls that each process holds in memory at once, a quarter of it of one"
            " address; small ones are not counted.",
            MIB,
            1024 * 1024 * MIB,
        ),
    ] = 256 * MIB
    head_timeout_s: Annotated[
        int, about("How long a caller may take until the head of its next call is there.", 1, 600)
    ] = 15
    body_timeout_s: Annotated[
        int, about("How long a body may take to arrive, and an answer to be taken.", 1, 3600)
    ] = 300
