"""The pages of signing in by a provider: what went wrong, a name to take, the key handed over."""

from ordu.rules.names import USERNAME_LENGTH_MAX
from ordu.web.render import render
from ordu.web.visit import Visit


def failed(visit: Visit, provider: str, name: str, reason: str, why: str) -> str:
    """Why somebody is not signed in; `why` is the reason in the words of whoever refused."""
    return render("signin", visit, provider=provider, name=name, reason=reason, why=why)


def name(
    visit: Visit, provider: str, provider_name: str, form: str, username: str, error: str
) -> str:
    """The form that asks whom the provider knows for the name they want here."""
    return render(
        "signin-name",
        visit,
        provider=provider,
        name=provider_name,
        form=form,
        username=username,
        error=error,
        length_max=USERNAME_LENGTH_MAX,
    )


def signed_in(visit: Visit, api_key: str, to: str) -> str:
    """The page whose script keeps the browser's key and goes on to another."""
    return render("signed-in", visit, api_key=api_key, to=to)
