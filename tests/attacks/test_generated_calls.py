"""Every operation of both documents, called in ways nobody thinks of, by everybody.

Schemathesis makes the calls from what the documents say: what fits and what does not, the edges of
every bound (coverage), anything (fuzzing), and what follows from answers (stateful). Whatever is
called: no answer is a mistake of ours, and each has a status, a media type and a form that the
document knows. All of it is seeded, so it is the same each time; another ORDU_ATTACK_SEED in the
environment makes other calls.
"""

from contextlib import suppress

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from schemathesis.generation import GenerationMode
from tests.attacks.attack import CONFORMS, ROLES, SEED, Attack
from tests.attacks.exchange import Loop
from tests.rights.world import a_world

from ordu.protocol.openapi import openapi_document, swagger_document
from ordu.protocol.operations import TABLE

DOCUMENTS = {
    "openapi": openapi_document("Ordu", "0"),
    "swagger": swagger_document("Ordu", "0"),
}
OPERATIONS = [
    pytest.param(document, row, id=f"{document}-{row.name}")
    for document in DOCUMENTS
    for row in TABLE
    if document == "openapi" or row.path.startswith("/api/v2/")
]
FEW, MANY = 3, 100  # cases that are generated of each operation, each called by every role
STORIES = 8  # of up to eight calls each
EDGES = 3  # of the cases of edges one in so many


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database_url(request):
    if request.param == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture(scope="module")
def horde(tmp_path_factory, database_url):
    """A horde with everybody, in a loop of its own."""
    loop = Loop()
    context = a_world(str(tmp_path_factory.mktemp("horde") / "horde"), database_url)
    world = loop.enter(context)
    yield loop, world
    loop.leave(context)


@pytest.fixture(scope="module")
def attacks(horde):
    return {name: Attack(*horde, document) for name, document in DOCUMENTS.items()}


@pytest.fixture
def attack(attacks, document, horde):
    yield attacks[document]
    loop, world = horde
    loop.run(world.everybody())


def found(attack, row):
    path = row.path.removeprefix(attack.schema.base_path.rstrip("/"))
    return attack.schema[path][row.method]


def settings_of(many):
    return hypothesis.settings(
        max_examples=many,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        stateful_step_count=8,
        suppress_health_check=list(HealthCheck),
    )


def fuzz(attack, operation, many):
    """Call it with so many generated cases, each by every role."""
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @hypothesis.seed(SEED)
    @settings_of(many)
    @hypothesis.given(cases)
    def run(case):
        attack.attack(case, len(ROLES))

    run()


def edges(attack, operation, step, roles):
    """Call it at the edges of every bound, one case in `step`, each by so many roles."""
    config = attack.schema.config.generation_for(operation=operation, phase="coverage")
    cases = attack.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=config
    )
    for case in list(cases)[attack.chance.randrange(step) :: step]:
        attack.attack(case, roles)


@pytest.mark.parametrize(("document", "row"), OPERATIONS)
def test_whatever_is_called_the_answer_is_one_of_those_documented(attack, row):
    attack.begin(row.name)
    fuzz(attack, found(attack, row), FEW)
    edges(attack, found(attack, row), EDGES, 1)
    assert not attack.wrong, "\n\n".join(attack.wrong.values())


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("document", "row"), OPERATIONS)
def test_the_same_many_times(attack, row):
    attack.begin(f"{row.name}, many times")
    fuzz(attack, found(attack, row), MANY)
    edges(attack, found(attack, row), 1, len(ROLES))
    assert not attack.wrong, "\n\n".join(attack.wrong.values())
    assert attack.got_through, "calls that are all refused prove little"


def stories(attack, many):
    """So many times some stories in which calls are made of what earlier ones were answered."""

    class Story(attack.schema.as_state_machine()):
        def setup(self):
            self.role = attack.chance.choice(ROLES)

        def call(self, case, **_):
            return attack.call(case, self.role)

        def validate_response(self, response, case, **_):
            attack.judge(case, self.role, response, CONFORMS)

    for number in range(many):
        # What happens depends on what happened before, which Hypothesis may find out and gives up.
        with suppress(hypothesis.errors.Flaky):
            hypothesis.seed(SEED * 1000 + number)(Story).run(settings=settings_of(STORIES))


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    "many", [pytest.param(1, id="few"), pytest.param(60, id="many", marks=pytest.mark.slow)]
)
@pytest.mark.timeout(600)
def test_what_follows_from_answers(attack, many):
    attack.begin("stories")
    stories(attack, many)
    assert not attack.wrong, "\n\n".join(attack.wrong.values())
