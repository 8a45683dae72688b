"""Where pictures are saved."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ordu.cli.saving import NAME_BYTES_MAX, Pattern, Saver, slug
from ordu.client import Picture

WEBP = b"RIFF0000WEBPVP8 "


def a_picture(seed: str = "7", data: bytes = WEBP, model: str = "SD XL/1.0") -> Picture:
    return Picture(data=data, id="0199-ab", seed=seed, model=model)


def saved(pattern: Pattern, *pictures: Picture, prompt: str = "fox") -> list[Path]:
    saver = Saver(pattern)
    return [saver.save(each, prompt, each.data) for each in pictures]


@pytest.mark.parametrize(
    ("out", "pictures", "names"),
    [
        pytest.param(None, [a_picture()], ["dunes-at-sunset-7.webp"], id="nothing said"),
        pytest.param("new/", [a_picture()], ["new/dunes-at-sunset-7.webp"], id="new folder"),
        pytest.param("fox", [a_picture()], ["fox.webp"], id="name without an ending"),
        pytest.param("fox.png", [a_picture()], ["fox.webp"], id="ending of another form"),
        pytest.param("fox.v2", [a_picture()], ["fox.v2.webp"], id="dot in the name"),
        pytest.param(
            "fox.webp", [a_picture("1"), a_picture("2")], ["fox.webp", "fox-2.webp"], id="two"
        ),
        pytest.param(
            "{seed}/{number}-{id}",
            [a_picture("1"), a_picture("2")],
            ["1/1-0199-ab.webp", "2/2-0199-ab.webp"],
            id="fields, also in folders",
        ),
        pytest.param(
            "{n}-{model}-{prompt}",
            [a_picture(), a_picture()],
            ["1-sd-xl-1-0-dunes-at-sunset.webp", "2-sd-xl-1-0-dunes-at-sunset.webp"],
            id="number and model",
        ),
        pytest.param(
            "{seed}/../{seed}", [a_picture("..")], ["0/../0.webp"], id="a seed of dots is none"
        ),
        pytest.param(
            None, [a_picture("../../x")], ["dunes-at-sunset-x.webp"], id="seed that climbs out"
        ),
        pytest.param(
            None, [a_picture(data=b"\x89PNG")], ["dunes-at-sunset-7.png"], id="true ending"
        ),
    ],
)
def test_names(tmp_path, monkeypatch, out, pictures, names):
    monkeypatch.chdir(tmp_path)
    pattern = Pattern.read(out)
    pattern.prepare()
    found = saved(pattern, *pictures, prompt="Dunes, at sunset!")
    assert found == [Path(name) for name in names]
    assert all(Path(name).read_bytes() for name in names)


def test_a_name_of_ours_never_replaces_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = saved(Pattern.read(None), a_picture())
    again = saved(Pattern.read(None), a_picture())
    assert (first, again) == ([Path("fox-7.webp")], [Path("fox-7-2.webp")])


def test_nor_does_a_name_somebody_gave(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for data in (WEBP, WEBP + b"2"):
        saved(Pattern.read("fox.webp"), a_picture(data=data))
    assert Path("fox.webp").read_bytes() == WEBP
    assert Path("fox-2.webp").read_bytes() == WEBP + b"2"


def test_nor_what_a_link_leads_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fox.webp").symlink_to("elsewhere")
    assert saved(Pattern.read("fox.webp"), a_picture()) == [Path("fox-2.webp")]
    assert not Path("elsewhere").exists()


def test_with_overwrite_old_files_are_replaced_and_those_of_this_call_are_not(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("fox.webp").write_bytes(b"old")
    pattern = replace(Pattern.read("fox.webp"), overwrites=True)
    assert saved(pattern, a_picture(), a_picture()) == [Path("fox.webp"), Path("fox-2.webp")]
    assert Path("fox.webp").read_bytes() == WEBP


def test_the_date_is_that_of_today(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (path,) = saved(Pattern.read("{date}"), a_picture())
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d\.webp", path.name)


def test_names_are_never_too_long_for_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pattern = Pattern.read("{prompt}{prompt}{model}")
    (path,) = saved(pattern, a_picture(model="狐" * 90), prompt="狐" * 90)
    assert NAME_BYTES_MAX - 3 < len(path.stem.encode()) <= NAME_BYTES_MAX


def test_a_value_with_braces_is_no_field(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert saved(Pattern.read("{prompt}"), a_picture(), prompt="{seed}") == [Path("seed.webp")]


def test_unknown_field_is_told():
    with pytest.raises(ValueError, match=r"there is no \{sed\}; there are \{prompt\}"):
        Pattern.read("{sed}.webp")


@pytest.mark.parametrize(
    ("text", "part"),
    [("Island map, red & blue", "island-map-red-blue"), ("Дюны на закате", "дюны-на-закате")],
)
def test_slug(text, part):
    assert slug(text) == part


def test_slug_is_short():
    assert len(slug("word " * 100)) <= 50
