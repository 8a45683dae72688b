"""The page Register: a name becomes an account, and its key is shown once."""

from ordu.rules.names import USERNAME_LENGTH_MAX
from ordu.web import examples
from ordu.web.render import render
from ordu.web.visit import Visit


def register(
    visit: Visit, username: str = "", error: str = "", *, asks_for_work: bool = False
) -> str:
    """The form that makes an account; with `error` beside its field when it was refused."""
    return render(
        "register",
        visit,
        username=username,
        error=error,
        length_max=USERNAME_LENGTH_MAX,
        asks_for_work=asks_for_work,
    )


def registered(visit: Visit, alias: str, api_key: str) -> str:
    """The new account with its key, which nobody can show a second time."""
    return render("registered", visit, alias=alias, api_key=api_key, prompt=examples.PROMPT)
