"""`python -m tests.system.chaos --seconds 300 --seed 7`: a long run, and its log.

The seed decides what is done and in which order. When it is done depends on the machine, so a run
that is repeated is a similar one.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec
from tests.s3 import an_s3_server
from tests.system.chaos.running import Plan, run


def main() -> int:
    """Run, tell, and say whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="of faults")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=9)
    parser.add_argument("--pause-s", type=float, default=1.0, help="between faults, about")
    parser.add_argument("--s3", action="store_true", help="pictures on S3, not in a folder")
    parser.add_argument("--short", action="store_true", help="as `make test` runs it")
    parser.add_argument("--story", action="store_true", help="tell each fault")
    parser.add_argument("--keep", help="a folder for the logs of the servers")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    plan = Plan(
        given.seconds, given.seed, given.clients, given.workers, given.pause_s, not given.short
    )
    with tempfile.TemporaryDirectory(prefix="ordu-chaos-") as temporary:
        folder = Path(given.keep or temporary)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        if given.s3:
            with an_s3_server() as s3:
                report = run(plan, folder, s3=s3)
        else:
            report = run(plan, folder)
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        print("\n".join([*(report.story if given.story else []), report.as_text()]))
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
