"""Where pictures are saved."""

from pathlib import Path

import pytest

from ordu.cli.saving import Pattern, slug
from ordu.client import Picture

WEBP = b"RIFF0000WEBPVP8 "


def a_picture(seed: str = "7", data: bytes = WEBP) -> Picture:
    return Picture(data=data, id="0199-ab", seed=seed)


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
    assert pattern.save(pictures, "Dunes, at sunset!") == [Path(name) for name in names]
    assert all(Path(name).read_bytes() for name in names)


def test_a_name_of_ours_never_replaces_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Pattern.read(None).save([a_picture()], "fox")
    again = Pattern.read(None).save([a_picture()], "fox")
    assert (first, again) == ([Path("fox-7.webp")], [Path("fox-7-2.webp")])


def test_a_name_somebody_gave_is_written_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for data in (WEBP, WEBP + b"2"):
        Pattern.read("fox.webp").save([a_picture(data=data)], "fox")
    assert Path("fox.webp").read_bytes() == WEBP + b"2"


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
