"""Two server processes on one SQLite file, which `ordu serve` refuses.

    two_on_one_file.py DATA READY-FILE

What one of them keeps in memory the other does not know, so this is good for one thing only: real
servers under one socket, for calls that read, where there is no PostgreSQL.
"""

import asyncio
import sys
from pathlib import Path

from ordu.cli import children
from ordu.cli.failures import Failure
from ordu.cli.logs import start_logging
from ordu.cli.serve import write_ready_file
from ordu.cli.supervising import same_command, supervise
from ordu.settings import ServerSettings

DATA, READY = sys.argv[1], Path(sys.argv[2])
GIVEN = {"data": DATA, "drain_s": "1", "rate_limits": "off", "log_format": "json"}


async def nothing() -> None:
    pass


start_logging("info")
children.follow_parent()
settings = ServerSettings(port=0, processes=2)
words = same_command(GIVEN, None)
try:
    asyncio.run(supervise(settings, words, lambda it: write_ready_file(READY, it), nothing))
except Failure as failure:
    failure.show()
    sys.exit(failure.exit_code)
