"""Words: how a prompt is read. The tables of known words live here, and nothing else is understood.

A word names a scene, a palette or a small touch (a moon, birds, a kind of fruit), or several of
these. Whole words count, in any case, also as simple plurals. Weak words name a scene only when no
other word does: "mountains at night" are mountains.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Brief:
    """What a prompt asks for."""

    scene: str
    palettes: tuple[str, ...] = ()  # moods before colours, in the order of the prompt; maybe none
    glow: str | None = None  # the palette that colours sun or moon: "a red moon"
    touches: frozenset[str] = frozenset()


def read(prompt: str, negative_prompt: str, scenes: Sequence[str]) -> Brief:
    """Choose what to paint: by the words known, else by a hash of the prompt.

    What the negative prompt names is left out, as long as something remains to paint.
    """
    words, unwanted = list(_words(prompt)), list(_words(negative_prompt))
    banned = set(_named(unwanted, SCENES)) | set(_named(unwanted, WEAK_SCENES))
    allowed = [scene for scene in scenes if scene not in banned] or list(scenes)
    palettes, glow = _palettes(words, set(_named(unwanted, PALETTES)))
    touches = set(_named(words, TOUCHES)) - set(_named(unwanted, TOUCHES))
    return Brief(_scene(prompt, words, allowed), palettes, glow, frozenset(touches))


def known_words() -> tuple[str, ...]:
    """Every word that changes the picture, in alphabetical order."""
    return tuple(sorted({*SCENES, *WEAK_SCENES, *PALETTES, *TOUCHES}))


def _scene(prompt: str, words: Sequence[str], allowed: Sequence[str]) -> str:
    for table in (SCENES, WEAK_SCENES):
        for scene in _named(words, table):
            if scene in allowed:
                return scene
    text = " ".join(prompt.casefold().split())
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
    return allowed[number % len(allowed)]


def _palettes(words: Sequence[str], banned: Collection[str]) -> tuple[tuple[str, ...], str | None]:
    """The palettes named, and the one that stands right before "moon" or "sun"."""
    names: list[str] = []
    glow = None
    for i, word in enumerate(words):
        found = [name for name in _named([word], PALETTES) if name not in banned]
        after = words[i + 1] if i + 1 < len(words) else ""
        if found and found[0] not in MOODS and after in {"moon", "sun"}:
            glow = found[0]
            continue
        names += [name for name in found if name not in names]
    names.sort(key=lambda name: name not in MOODS)
    return tuple(names[:2]), glow


def _words(text: str) -> Iterator[str]:
    """The words of a text in lower case; "black and white" and "cherry blossom" are one word."""
    text = re.sub(r"\bblack\s*(?:and|&|n)\s*white\b", "monochrome", text.casefold())
    text = re.sub(r"\b(?:cherry|apple|pear|orange|lemon)\s+(?=blossom|tree)", "", text)
    yield from re.findall(r"[a-z]+", text)


def _named(words: Sequence[str], table: Mapping[str, str]) -> Iterator[str]:
    """What the table says of each word it knows, as it stands or in the singular."""
    for word in words:
        for form in _singulars(word):
            if form in table:
                yield table[form]
                break


def _singulars(word: str) -> Iterator[str]:
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def _table(lines: str) -> dict[str, str]:
    """Read lines of `meaning: word word …` into a table from word to meaning."""
    table: dict[str, str] = {}
    for line in lines.strip().splitlines():
        meaning, words = line.split(":")
        table.update(dict.fromkeys(words.split(), meaning.strip()))
    return table


SCENES = _table(
    """
    dunes: desert dune sand sahara sandy oasis arid
    mountains: mountain mount ridge peak alp alpine cliff canyon himalaya volcano
    lake: lake fjord river pond loch waterfall
    sea: sea ocean beach coast coastal shore bay harbor harbour ship boat sail lighthouse
    fires: fire camp campfire bonfire tent yurt steppe nomad horde lantern prairie
    city: city town skyline skyscraper downtown cyberpunk urban metropolis
    space: space planet saturn jupiter galaxy cosmos cosmic nebula universe astronaut spaceship
    island: map island atlas chart contour cartography topographic atoll archipelago
    rug: rug carpet kilim textile woven tapestry persian weaving mandala
    fruit: fruit pear apple oranges lemon cherry
    flow: hair flow strand swirl curl
    flock: flock starling murmuration swarm
    rain: raindrop drizzle bokeh
    forest: forest wood woodland pine fir spruce jungle taiga
    snow: snowfield snowman snowfall snowflake
    tree: tree oak maple willow birch sakura blossom bonsai orchard
    flowers: flower tulip daisy poppy sunflower botanical bouquet lily lotus
    shapes: abstract shape geometric bauhaus riso collage
    """
)

# These stand for a scene only where no other word names one.
WEAK_SCENES = _table(
    """
    dunes: camel heat
    mountains: hill valley landscape sunrise dawn morning misty mist sky castle eagle
    lake: reflection mirror water swan
    sea: moon moonlight sun sunset horizon summer wave fish whale
    fires: night evening horse
    city: street building house car robot
    space: star rocket alien
    island: treasure pirate dragon
    rug: pattern ornament felt
    fruit: food bowl kitchen table still orange
    flow: wind windy stream fur portrait woman girl man face cat dog
    flock: bird crow raven gull seagull
    rain: rain rainy storm window glass
    forest: fog foggy wolf deer bear fox
    snow: snow snowy winter frost frozen ice christmas ski
    tree: autumn fall leaf leave
    flowers: spring rose garden meadow plant butterfly bee
    shapes: art modern minimal minimalist poster circle
    """
)

MOODS = frozenset(
    {"sunset", "dawn", "dusk", "night", "autumn", "winter", "spring", "summer"}
    | {"pastel", "neon", "vintage"}
)

PALETTES = _table(
    """
    red: red crimson scarlet ruby blood
    orange: orange amber rust copper terracotta
    gold: gold golden yellow honey
    green: green emerald olive moss lime
    teal: teal turquoise cyan aqua jade
    blue: blue azure navy cobalt sapphire indigo
    purple: purple violet lavender lilac magenta mauve
    pink: pink rosy coral blush
    brown: brown sepia bronze chocolate coffee wooden
    monochrome: monochrome grey gray greyscale grayscale silver bw
    white: white ivory pale
    black: black dark noir gothic gloomy
    sunset: sunset evening
    dawn: dawn sunrise morning daybreak
    dusk: dusk twilight misty moody
    night: night midnight nighttime nocturnal moonlit moonlight starry
    autumn: autumn fall autumnal october november
    winter: winter snow snowy cold ice icy frost frozen christmas
    spring: spring springtime april easter
    summer: summer summertime sunny tropical july
    pastel: pastel soft gentle cute dreamy
    neon: neon cyberpunk vaporwave synthwave psychedelic vivid
    vintage: vintage retro old antique seventies
    """
)

TOUCHES = _table(
    """
    moon: moon moonlit moonlight
    sun: sun sunset sunrise sunny sunlight
    star: star starry
    bird: bird crow raven gull seagull eagle
    hair: hair fur portrait woman girl face
    snow: snow snowy winter bare
    pear: pear
    apple: apple
    orange: orange oranges
    lemon: lemon
    cherry: cherry
    """
)
