"""A supervisor of two stand-ins as a process of its own: supervised.py FOLDER."""

import asyncio
import os
import sys
from pathlib import Path

from ordu.cli.supervising import obey_signals
from ordu.server.supervisor import Supervisor

FOLDER = Path(sys.argv[1])


async def main() -> int:
    stand_in = Path(__file__).with_name("stand_in.py")
    supervisor = Supervisor(
        lambda number: [sys.executable, str(stand_in), str(FOLDER), str(number)], 2, os.dup(2)
    )
    obey_signals(supervisor)

    async def farewell() -> None:
        (FOLDER / "farewell").touch()

    return await supervisor.run(lambda started: (FOLDER / "up").touch(), farewell)


sys.exit(asyncio.run(main()))
