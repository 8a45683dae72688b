"""How a prompt is read: which words choose scenes, colours and touches."""

import pytest

from ordu.worker.backends.sketch import known_words
from ordu.worker.backends.sketch.palettes import PALETTES, named
from ordu.worker.backends.sketch.scenes import SCENES
from ordu.worker.backends.sketch.words import (
    MOODS,
    WEAK_SCENES,
    read,
)
from ordu.worker.backends.sketch.words import (
    PALETTES as PALETTE_WORDS,
)
from ordu.worker.backends.sketch.words import (
    SCENES as SCENE_WORDS,
)


def brief(prompt: str, negative: str = ""):
    return read(prompt, negative, tuple(SCENES))


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("a desert", "dunes"),
        ("MOUNTAINS, highly detailed", "mountains"),
        ("snowy mountains at night", "mountains"),
        ("a misty fjord", "lake"),
        ("an ocean under the moon", "sea"),
        ("moon", "sea"),
        ("camp fires on the steppe", "fires"),
        ("night", "fires"),
        ("an old map", "island"),
        ("(islands:1.3)", "island"),
        ("persian carpet", "rug"),
        ("cyberpunk city in the rain", "city"),
        ("three pears", "fruit"),
        ("cherries", "fruit"),
        ("a bowl of oranges", "fruit"),
        ("an orange sky over mountains", "mountains"),
        ("cherry blossom", "tree"),
        ("an apple tree", "tree"),
        ("long hair", "flow"),
        ("wind", "flow"),
        ("birds", "flock"),
        ("rain", "rain"),
        ("fog in the forest", "forest"),
        ("deep woods", "forest"),
        ("snow", "snow"),
        ("wild flowers", "flowers"),
        ("poppies", "flowers"),
        ("galaxies", "space"),
        ("digital art of a volcano", "mountains"),
        ("abstract", "shapes"),
    ],
)
def test_words_choose_the_scene(prompt, scene):
    assert brief(prompt).scene == scene


@pytest.mark.parametrize(
    ("prompt", "palettes"),
    [
        ("red mountains", ("red",)),
        ("Turquoise sea", ("teal",)),
        ("golden dunes at sunset", ("sunset", "gold")),
        ("blue night", ("night", "blue")),
        ("black and white forest", ("monochrome",)),
        ("black & white forest", ("monochrome",)),
        ("black forest", ("black",)),
        ("pink and purple and green", ("pink", "purple")),
        ("mountains", ()),
        ("bored", ()),  # "red" inside a word is no word
    ],
)
def test_words_choose_the_palette(prompt, palettes):
    assert brief(prompt).palettes == palettes


def test_a_colour_before_moon_or_sun_is_its_own():
    found = brief("a red moon over a blue sea")
    assert (found.glow, found.palettes, found.touches) == ("red", ("blue",), {"moon"})


@pytest.mark.parametrize(
    ("prompt", "negative", "scene"),
    [
        ("mountains and forest", "mountain", "forest"),
        ("city by the sea", "cities", "sea"),
        ("night", "people, text, watermark", "fires"),
    ],
)
def test_the_negative_prompt_excludes_scenes(prompt, negative, scene):
    assert brief(prompt, negative).scene == scene


def test_the_negative_prompt_excludes_palettes_and_touches():
    found = brief("red and blue sea, moon", "blue, moon")
    assert (found.palettes, found.touches) == (("red",), frozenset())


def test_a_scene_of_the_hash_is_never_an_excluded_one():
    for number in range(40):
        assert brief(f"xyzzy{number}", "desert, mountains, sea, city").scene not in {
            "dunes",
            "mountains",
            "sea",
            "city",
        }


def test_something_remains_when_all_is_excluded():
    assert brief("sea", " ".join(known_words())).scene in SCENES


def test_unknown_prompts_spread_over_the_scenes():
    found = {brief(f"qwertz{letter}").scene for letter in "abcdefghijklmnopqrstuvwxyz" * 8}
    assert len(found) > 8
    assert {brief(f"plugh {'x' * n}").scene for n in range(200)} == set(SCENES)


def test_an_unknown_prompt_is_stable():
    assert brief("Grüße, 世界").scene == brief("  grüße,  世界 ").scene
    assert brief("").scene in SCENES
    assert brief("\udcff").scene in SCENES


def test_known_words_are_sorted_and_plain():
    words = known_words()
    assert list(words) == sorted(set(words))
    assert {"desert", "moon", "pear", "teal", "neon", "hair"} <= set(words)
    assert all(word.isascii() and word.islower() and word.isalpha() for word in words)


def test_tables_name_only_what_there_is():
    assert set(SCENE_WORDS.values()) == set(SCENES)
    assert set(WEAK_SCENES.values()) <= set(SCENES)
    assert set(PALETTE_WORDS.values()) <= set(PALETTES)
    assert set(PALETTES) >= MOODS
    assert {name for scene in SCENES.values() for name in scene.palettes} <= set(PALETTES)


@pytest.mark.parametrize("name", sorted(PALETTES))
def test_every_palette_is_whole_and_darkens(name):
    palette = PALETTES[name]
    assert len(palette.accents) == 5
    assert len(palette.land) == 4
    assert palette.at_night().is_dark


def test_a_colour_at_night_is_dark_and_of_that_colour():
    red, green, blue = named(("night", "red")).sky[-1]
    assert red > max(green, blue)
    assert named(("spring", "night")).is_dark


def test_two_palettes_give_sky_and_land():
    palette = named(("sunset", "green"))
    assert palette.sky == PALETTES["sunset"].sky
    assert palette.land == PALETTES["green"].land
