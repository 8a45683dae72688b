"""A horde whose operator lists models."""

from pathlib import Path

import msgspec
import pytest
from tests.api.conftest import ADMIN, ANONYMOUS, POP

from ordu.engine import sweeper
from ordu.kinds.catalogue import Catalogue

pytestmark = pytest.mark.anyio

ASYNC = "/api/v2/generate/async"
LIST = """
[sdxl]
baseline = "stable_diffusion_xl"
min_steps = 20
max_steps = 50
[flux]
baseline = "flux_1"
"""


@pytest.fixture
def settings(settings):
    Path(settings.data).mkdir()
    (Path(settings.data) / "models.toml").write_text(LIST)
    return msgspec.structs.replace(settings, factors={"flux_1": 8.0})


@pytest.fixture
def strict(horde):
    """The same, where workers may offer nothing else."""
    horde.catalogue = Catalogue(horde.catalogue.models, only_listed=True)


async def test_who_asks_a_model_for_what_it_is_not_made_for_is_warned(ask, pop):
    await pop(models=["sdxl"])
    placed = await ask(models=["sdxl"], params={"steps": 10})
    assert placed["warnings"] == [
        {"code": "StepsTooFew", "message": "sdxl is made for at least 20 steps."}
    ]
    assert "message" not in placed
    assert "warnings" not in await ask(models=["sdxl"], params={"steps": 20})


async def test_a_warning_comes_beside_that_nobody_is_here(ask):
    placed = await ask(models=["sdxl"], params={"steps": 60})
    assert [each["code"] for each in placed["warnings"]] == ["NoAvailableWorker", "StepsTooMany"]


async def test_the_price_follows_the_baseline(ask):
    assert (await ask(models=["sdxl"]))["kudos_exact"] == 6
    assert (await ask(models=["flux"]))["kudos_exact"] == 48


async def test_what_a_listed_model_cannot_is_refused(api):
    body = {"prompt": "a fox", "models": ["flux"], "params": {"hires_fix": True}}
    reply = await api.post(ASYNC, json=body, headers=ANONYMOUS)
    assert (reply.status_code, reply.json()["rc"]) == (400, "HiResMismatch")


@pytest.mark.parametrize(
    ("state", "names"),
    [("known", ["sdxl"]), ("custom", ["mine"]), ("all", ["mine", "sdxl"]), ("", ["mine", "sdxl"])],
)
async def test_models_by_state(api, pop, state, names):
    await pop(models=["sdxl", "mine"])
    reply = await api.get("/api/v2/status/models", params={"model_state": state})
    assert [model["name"] for model in reply.json()] == names


async def test_an_unknown_state_of_models(api):
    reply = await api.get("/api/v2/status/models", params={"model_state": "old"})
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")


async def test_statistics_by_state(api, horde, ask, pop, submit):
    for model in ("sdxl", "mine"):
        await ask(models=[model])
        await submit((await pop(models=[model]))["id"])
    await sweeper.fold_statistics(horde)
    models = "/api/v2/stats/img/models"
    assert (await api.get(models)).json()["total"] == {"sdxl": 1}
    custom = await api.get(models, params={"model_state": "custom"})
    assert custom.json()["total"] == {"mine": 1}


@pytest.mark.usefixtures("strict")
async def test_where_only_listed_models_are_taken(api, ask, pop, register):
    await ask(models=["sdxl", "mine"])
    ferris = await register("ferris")
    reply = await api.post("/api/v2/generate/pop", json=POP | {"models": ["mine"]}, headers=ferris)
    assert (reply.status_code, reply.json()["rc"]) == (400, "BadRequest")
    assert (await api.get("/api/v2/workers")).json() == []
    assert (await pop(ferris, models=["mine", "sdxl"]))["model"] == "sdxl"
    await api.put("/api/v2/users/2", json={"customizer": True}, headers=ADMIN)
    await ask(models=["mine"])
    assert (await pop(ferris, models=["mine"]))["model"] == "mine"
