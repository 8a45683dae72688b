"""The operator's list of models."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ordu.kinds.catalogue import Catalogue, Model, read_catalogue
from ordu.settings import Baseline, SettingError

ROOT = Path(__file__).parents[3]

TEXT = """
["SDXL 1.0"]
baseline = "stable_diffusion_xl"
min_steps = 8
max_steps = 40
cfg_scale = 7
samplers = ["k_euler", "lcm"]
schedulers = ["karras"]

[brush]
inpainting = true
nsfw = true
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "models.toml"


def test_a_file_is_read(path):
    path.write_text(TEXT)
    catalogue = read_catalogue(path)
    assert catalogue.models == {
        "SDXL 1.0": Model(
            baseline="stable_diffusion_xl",
            min_steps=8,
            max_steps=40,
            cfg_scale=7.0,
            samplers=("k_euler", "lcm"),
            schedulers=("karras",),
        ),
        "brush": Model(inpainting=True, nsfw=True),
    }
    assert catalogue.baselines(["brush", "SDXL 1.0", "other"]) == {"stable_diffusion_xl"}


def test_no_file_is_no_list(path):
    catalogue = read_catalogue(path)
    assert catalogue == Catalogue()
    assert catalogue.is_listed("anything")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "is not TOML"),
        ('a = "b"', 'models.toml ["a"]: Expected `object`'),
        ('[a]\nbaseline = "sdxl"', 'models.toml ["a"]: Invalid enum value'),
        ("[a]\ncolour = 1", "unknown field `colour`"),
        ("[a]\nmax_steps = 0", "`int` >= 1"),
        ("[a]\nmin_steps = 9\nmax_steps = 8", "a least value is above the most"),
        ("[a]\nmin_cfg_scale = 2\nmax_cfg_scale = 1.5", "a least value is above the most"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(path, text, said):
    path.write_text(text)
    with pytest.raises(SettingError) as error:
        read_catalogue(path)
    assert said in str(error.value)


def test_a_file_that_is_no_text_or_no_file(path, tmp_path):
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match="is not TOML"):
        read_catalogue(path)
    with pytest.raises(SettingError, match="directory"):
        read_catalogue(tmp_path)


def test_only_listed_models_need_a_list(path):
    with pytest.raises(SettingError, match="only_listed_models is on"):
        read_catalogue(path, only_listed=True)


def test_every_field_is_in_the_reference():
    page = (ROOT / "docs" / "reference" / "models.md").read_text()
    for field in msgspec.structs.fields(Model):
        assert f"`{field.name}`" in page, field.name
    for baseline in get_args(Baseline):
        assert f"`{baseline}`" in page, baseline
