"""A crash, the call made again after it, and what must be true then."""

from tests.crash.cases import Case, witness
from tests.crash.stage import Rows, Stage, calling_at, demand_death


def demand_all_or_nothing(stage: Stage, case: Case, expected: object) -> None:
    """Demand that this is seen, and that everything is true that must be."""
    found = case.look(stage)
    assert found == expected, "the effect is whole, or there is none"
    stage.demand_order()


def demand_kept(stage: Stage, kept: Rows, witnessed: int) -> None:
    """Demand everything that was there, and what the server answered before it died."""
    now = stage.rows()
    lost = {sql: rows - now[sql] for sql, rows in kept.items()}
    assert not any(lost.values()), f"lost: {lost}"
    assert stage.look(witness) == witnessed, "what was answered is there"


def strike(stage: Stage, case: Case, name: str, moment: str) -> int:
    """Let a process come by the failpoint and die; how many calls it answered before."""
    if case.chore:
        demand_death(stage.chore(case.chore, f"{name}:{moment}"))
        return 0
    if case.prepare is None or case.strike is None:
        demand_death(stage.start(f"{name}:{moment}"))
        return 0
    # Somebody else's account comes first, and is answered.
    count = 2 if name == "register" else 1
    server = stage.server(f"{name}:{moment}:{count}", *case.arguments)
    with calling_at(server) as caller:
        assert caller.http.post("/register", json={"username": "witness"}).status_code == 200
        case.strike(caller, stage.facts)
        demand_death(server)
    return 1


def do_again(stage: Stage, case: Case) -> None:
    """What somebody does who got no answer: the same again, and now nobody dies."""
    if case.chore:
        assert stage.chore(case.chore, "").end() == 0
    elif case.strike is None:
        stage.sweep()
    else:
        server = stage.server("", *case.arguments)
        with calling_at(server, kills=False) as caller:
            case.strike(caller, stage.facts)
        server.kill()
