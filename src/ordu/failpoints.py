"""Failpoints: where a server kills itself on purpose, so that tests see what a crash leaves.

`ORDU_FAILPOINT=deliver:after` in the environment of a server lets it die by SIGKILL at the first
delivery, right after its commit; `deliver:after:3` at the third. Without that variable nothing of
this is ever run. Every write has the name of the function that makes it, so a new one has a
failpoint from the start; `tests/crash` has a case for each name and each of its moments.

The moments of a write are `before` its commit, `after` it, and when it is published in memory but
nobody was answered (`unanswered`). Those of the picture store are before and after.
"""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

VARIABLE = "ORDU_FAILPOINT"
OF_PICTURES = ("before", "after")
OF_WRITES = (*OF_PICTURES, "unanswered")

WRITES: Mapping[str, str] = {
    "accept": "a request is placed",
    "award": "kudos of the horde's own are given",
    "cancel": "what waits of a request is dropped",
    "check_books": "the books were proved",
    "check_secret": "a data folder remembers its secret",
    "count_aborted": "a worker gave up too many jobs",
    "count_prompt": "somebody asked for what is not drawn",
    "delete_news": "a piece of news is taken back",
    "delete_user": "an account is deleted",
    "deliver": "a job is settled",
    "edit": "a user is changed",
    "edit_worker": "a worker is changed",
    "ensure_first_users": "a new horde gets its first users",
    "expire": "a request whose time is over is removed",
    "fault": "a job failed",
    "find_or_add": "the first pop of a new name makes a worker",
    "fold": "appended numbers are folded into totals",
    "erase": "an account is wiped at once",
    "forget_act_words": "words in old acts are dropped",
    "forget_answers": "old answers to repeated calls are dropped",
    "forget_browsers": "old keys of browsers are dropped",
    "forget_deliveries": "old messages to webhooks are dropped",
    "forget_empty": "requirements that nobody has any more are dropped",
    "forget_old_givers": "who gave what in old months is dropped",
    "give_back": "a job never reached its worker",
    "keep_attempt": "how sending to a webhook went is kept",
    "keep_sample": "how the horde stands is kept",
    "link": "an account is linked with somebody at a provider",
    "make_account": "an account is made of somebody at a provider",
    "move_old_statistics": "old numbers move into longer spans",
    "pay_one": "a user gets the kudos of a month",
    "put_news": "a piece of news is published or changed",
    "register": "an account is made",
    "remove_worker": "a worker is deleted",
    "replace_key": "a user gets another key",
    "replay": "a message to a webhook is to be sent again",
    "return_mail": "what was to be sent goes back for others",
    "reward_uptime": "a worker's owner is paid for its time",
    "rotate_secret": "another secret signs for a user's webhooks",
    "set_modes": "modes are switched",
    "sign_in": "a browser gets a key",
    "sign_out": "a key of a browser ends",
    "take": "a picture is given to a worker",
    "take_mail": "messages to webhooks are taken to be sent",
    "transfer": "kudos go from one user to another",
    "unlink": "an account is linked with a provider no more",
    "wipe_deleted": "deleted accounts are wiped",
    "write_refusals": "how many pictures were refused is written down",
    "write_presence": "signs of life are written down",
}
PICTURES: Mapping[str, str] = {
    "put_picture": "a worker's picture is stored",
    "put_source": "a picture that comes with a request is stored",
    "delete_pictures": "the pictures of a request that is gone are deleted",
    "tidy_pictures": "the space of deleted pictures is given back",
}


@dataclass
class Failpoint:
    """Where to die: at which name, at which moment, and at the how many-th time."""

    name: str
    moment: str
    left: int = 1
    die: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGKILL)

    def passed(self, name: str, moment: str) -> None:
        """Somebody comes by a failpoint; the process ends here when it is this one."""
        if (name, moment) == (self.name, self.moment):
            self.left -= 1
            if self.left == 0:
                self.die()


def armed(environment: Mapping[str, str]) -> Failpoint | None:
    """The failpoint of this environment; None in everyday life.

    Raises:
        ValueError: there is no such failpoint; the message lists those there are.
    """
    text = environment.get(VARIABLE)
    if not text:
        return None
    name, _, rest = text.partition(":")
    moment, _, count = rest.partition(":")
    moments = OF_WRITES if name in WRITES else OF_PICTURES if name in PICTURES else ()
    if moment not in moments or not (count or "1").isdecimal() or count == "0":
        raise ValueError(
            f"{VARIABLE}={text} is no failpoint. Write NAME:MOMENT or NAME:MOMENT:COUNT with one of"
            f" {', '.join(OF_WRITES)} and {', '.join(WRITES)}, or one of {', '.join(OF_PICTURES)}"
            f" and {', '.join(PICTURES)}."
        )
    return Failpoint(name, moment, int(count or 1))


def name_of(operation: Callable[..., Any]) -> str:
    """The name of a write: that of the function in which its operation was made."""
    return operation.__qualname__.partition(".")[0]
