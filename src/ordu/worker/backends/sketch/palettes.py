"""Palettes: the colours a picture may be painted in, by name.

A palette gives colours by the part they play (sky from the top down to the horizon, land from dark
to light, …), so every scene can be painted in every palette.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

Colour = tuple[float, float, float]  # red, green, blue, each 0 to 255


@dataclass(frozen=True)
class Palette:
    """Colours by the part they play in a picture."""

    sky: tuple[Colour, ...]  # from the top to the horizon
    land: tuple[Colour, ...]  # from dark and near to light and far
    accents: tuple[Colour, ...]  # five that stand well beside each other
    ink: Colour  # the darkest
    paper: Colour  # the lightest
    glow: Colour  # sun, moon and lamps

    @property
    def is_dark(self) -> bool:
        """Whether the sky is one that shows stars."""
        return brightness(self.sky[0]) < 40

    def at_night(self) -> "Palette":
        """The same colours after dark; a palette that is dark already stays as it is."""
        if self.is_dark:
            return self
        deep = darkened(mix(self.ink, (4, 7, 18), 0.62), 26)
        tint = self.accents[0] if spread(self.sky[0]) < 18 else self.sky[0]
        low = mix(deep, mix(self.sky[-1], tint, 0.5), 0.54)
        sky = (deep, mix(deep, tint, 0.4), mix(mix(deep, tint, 0.66), low, 0.4), low)
        land = tuple(mix(deep, colour, 0.06 + 0.2 * i) for i, colour in enumerate(self.land))
        return replace(self, sky=sky, land=land, ink=mix(deep, (0, 0, 0), 0.35))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour this share of the way from the first to the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def brightness(colour: Colour) -> float:
    """How light a colour looks, 0 to 255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def darkened(colour: Colour, most: float) -> Colour:
    """The colour, made at most this bright."""
    return mix((0, 0, 0), colour, min(1.0, most / max(brightness(colour), 1.0)))


def spread(colour: Colour) -> float:
    """How colourful a colour is: its largest channel less its smallest."""
    return max(colour) - min(colour)


def from_colours(colours: Sequence[Colour]) -> Palette:
    """Make a palette of the colours of a picture, given in any order; at least two."""
    ordered = sorted(colours, key=brightness)
    vivid = sorted(colours, key=spread, reverse=True)
    last = len(ordered) - 1
    dark = darkened(ordered[0], 55)
    return Palette(
        sky=tuple(ordered[round(last * share)] for share in (0.45, 0.65, 0.85, 0.95)),
        land=(dark, *(ordered[round(last * share)] for share in (0.25, 0.55, 0.8))),
        accents=tuple(vivid[i % len(vivid)] for i in range(5)),
        ink=mix(dark, (0, 0, 0), 0.3),
        paper=mix(ordered[-1], (255, 252, 244), 0.45),
        glow=mix(vivid[0], (255, 250, 235), 0.5),
    )


def named(names: Sequence[str]) -> Palette:
    """The palette of one or two names: the second after dark where one of them is the night."""
    if len(names) == 1:
        return PALETTES[names[0]]
    first, second = names
    if "night" in names:
        return PALETTES[second if first == "night" else first].at_night()
    return _combined(PALETTES[first], PALETTES[second])


def _combined(base: Palette, second: Palette) -> Palette:
    """The first palette's sky over the second one's land, with accents of both."""
    accents = (*second.accents[:3], *base.accents[:2])
    return replace(base, land=second.land, accents=accents, ink=second.ink)


def _colours(codes: str) -> tuple[Colour, ...]:
    def channel(code: str, at: int) -> float:
        return float(int(code[at : at + 2], 16))

    return tuple((channel(code, 0), channel(code, 2), channel(code, 4)) for code in codes.split())


def _palette(sky: str, land: str, accents: str, rest: str) -> Palette:
    ink, paper, glow = _colours(rest)
    return Palette(_colours(sky), _colours(land), _colours(accents), ink, paper, glow)


# Each line: sky; land; accents; ink, paper and glow.
PALETTES: dict[str, Palette] = {
    # Colours
    "red": _palette(
        "6f1f2b b3402f e58a5e f6cfa6",
        "3a1118 7d1f2c b8402f e2876a",
        "c8352e 7d1f2c f0a35e 2b2f4a f2d3b8",
        "240c12 f8ebdd ffd9a8",
    ),
    "orange": _palette(
        "3f5a73 b78a74 f0a765 f9d9a4",
        "3d1f1a 8f4526 d9772f f2b36b",
        "e2702a f2b04c 2f5d66 8f3b24 f6dcb4",
        "2a1713 fbf0de fff0c2",
    ),
    "gold": _palette(
        "6b6a58 b9a468 ecd08a f8e8bd",
        "33260f 7a5818 c4922f ecc968",
        "d9a428 8a5a1c f3d685 3c4a46 b8651f",
        "231a0d fbf4e0 fff3c4",
    ),
    "green": _palette(
        "6fa398 a9c9ad dbe3bd f1efd2",
        "10291f 24503a 5a8a55 a3be7e",
        "2f7a4d 93b552 e0b74a 17463d d9e3b4",
        "0c1f18 f4f3e2 fff6cf",
    ),
    "teal": _palette(
        "0f4c55 2f8a8c 8cc5b9 e2ecd6",
        "07262c 135059 2f8583 86bfb0",
        "16807f f0a45c 0c4550 7cc6b5 e4573d",
        "06201f f1f3e6 fff2d4",
    ),
    "blue": _palette(
        "1d3f7d 4a78b8 9fc0de e6eaea",
        "0d1d3c 21447c 4f7db5 9dbbd9",
        "2456a6 7fb0dc f2b25c 14284f dfe8ee",
        "0a1530 f3f1e8 fff3d8",
    ),
    "purple": _palette(
        "3a2a66 76529a bd8fb8 f1cfc6",
        "1c1433 432b66 7a5599 b99cc4",
        "6c3fa0 c77bb8 f2b26a 2c2257 e6cfe2",
        "150f29 f6eef0 ffe3cf",
    ),
    "pink": _palette(
        "8f7bb0 d99bb5 f6c3bd fde6d6",
        "4b2340 96456b d9809a f3bcc0",
        "e0567f f6a6b2 7a4c8a f4c46a 2f5d73",
        "34162c fdf1ec fff1dd",
    ),
    "brown": _palette(
        "8a7863 b7a285 ddcaa8 f1e4ca",
        "2b1b12 5b3c26 916740 c9a377",
        "7a4b2a c08a4e 3f4a3d e1c79a 9b3d24",
        "1f140e f5ecdb fbe9c4",
    ),
    "monochrome": _palette(
        "4e4f52 8e9092 c6c7c5 ebeae6",
        "17181a 45474a 85878a bfc0be",
        "2b2c2f 6e7073 a9aaaa 4b4d50 d6d6d2",
        "101113 f6f5f1 fbfaf6",
    ),
    "white": _palette(
        "c3d0d8 d9e1e3 e9ecea f6f3ec",
        "6c7c86 a4b1b8 ccd5d8 ebeeed",
        "8fa6b2 c9b79f e3dccf 5f7480 d7a48c",
        "2f3d47 faf8f3 fffdf4",
    ),
    "black": _palette(
        "0b0c10 17191f 282a31 41434a",
        "050608 111318 22252b 3b3f46",
        "c9a45a 6b6f78 a33b32 2b2e36 e4e0d5",
        "040405 e9e5da f1e3bd",
    ),
    # Moods
    "sunset": _palette(
        "2d3263 8a4d80 ea7a5f fbc06f",
        "1f1733 4b2a52 94465c d97a62",
        "e8603c f7b250 5a2f6b c23a5e fbdca8",
        "191229 fdeedb ffe9b0",
    ),
    "dawn": _palette(
        "7f9fc0 b9bfd0 f0cdc2 fde3c3",
        "2f3d55 66708a a39db0 dbc0bf",
        "e58f7b f5c99a 6d83a8 c9a3b8 3f5371",
        "232d41 fcf4ea fff1d3",
    ),
    "dusk": _palette(
        "2f4a6b 7d93a8 e9c9a6 f2d9bd",
        "1d2a33 4c5860 8a8581 b99f95",
        "c8674a e9b57a 3f6180 22384a d9c4b0",
        "16212a f7efe2 fff1d6",
    ),
    "night": _palette(
        "070c18 12203a 2a3a55 4a4a58",
        "080c12 141d29 263547 42536a",
        "f2a65a 7fb4d8 2f5a8c e2703a c9d4e4",
        "05080e efe9da f7edcf",
    ),
    "autumn": _palette(
        "7f98a6 c2beb0 ecd2a6 f6e3c0",
        "2c1a14 6a3320 b5612b e0a04e",
        "c4482a e39a35 7a2b2b 8a8a3c f1cf8f",
        "21130f f8eeda ffeec4",
    ),
    "winter": _palette(
        "8fa9c4 b9cbdb dfe6ea f4efe8",
        "22364c 557089 9fb4c6 e3eaee",
        "3f6690 a9c3d9 c8574a 27405c e9e4da",
        "182739 f7f7f4 fff3df",
    ),
    "spring": _palette(
        "8fc3d6 c3dfd6 ecebd0 fbe8d8",
        "2c4a35 5d8a4f a3c06a dbe3a1",
        "ef8fa4 f7c65f 6ba35a 7f9fd0 f9dcd6",
        "22382c fcf6ea fff4d0",
    ),
    "summer": _palette(
        "2f8fc0 77c0d8 c5e4dc fbefcf",
        "1c4a4a 3f8a6a 9dbf62 f2d77e",
        "f2704a f9c846 2a94a8 3a6b4a fdeabf",
        "143438 fdf7e6 fff6cf",
    ),
    "pastel": _palette(
        "b8cfe6 d5d3ea f3d6df fdeadb",
        "8a8fb0 b5b0cf dcc6d8 f5dfdc",
        "f2a9b5 a8cfd0 f6d7a0 b9aede cfe3b8",
        "5d5f80 fdf8f2 fffae6",
    ),
    "neon": _palette(
        "0a0620 24104f 6a1a7a e0388f",
        "05030f 150a33 321463 5f2a9a",
        "ff2f92 19e3e0 ffd23f 7a3cff 3dff9a",
        "04020c f4eaff ff7ad1",
    ),
    "vintage": _palette(
        "6f9794 a9b9a0 dccfa2 efdfb8",
        "2f2a26 6b5a45 b08a58 dcc08a",
        "d2583c e3ae4c 3f7a78 7a3b34 ecdcb4",
        "27211d f3e8cf fbe7b8",
    ),
    # Favourites of single scenes
    "desert": _palette(
        "9fc0cf d8dcd0 f3e2c4",
        "6e3b34 b8683f e7a964 f7dca6",
        "c8452e e2a03f 2f7f79 1d4e57 f2d9bd",
        "33201d f6f1e6 fff3d9",
    ),
    "rose desert": _palette(
        "b7b4cc e3c9c9 f8ddc6",
        "5a2f44 a8576a e39a86 f9d3b4",
        "b8485c eaa07a 5d4a78 2f4160 f7d9c2",
        "2c1a2a f9efe6 fff0dc",
    ),
    "fjord": _palette(
        "dfe6e6 c7d6d8 b5c8cc a9bfc4",
        "16323a 2f545c 5f858c 93adb3",
        "c8674a 2f7f79 e2b36a 22505c d6e0de",
        "0f262d f3f1e6 f8f4e4",
    ),
    "indigo": _palette(
        "24458a 3f66a6 9db0cc f3efe4",
        "1a2c57 2c4f8f 6f88b4 b9c4d6",
        "f2674a 2c4f8f fbcf8a 1a2c57 e9dfcf",
        "14224a f3efe4 f2674a",
    ),
    "vermilion": _palette(
        "c6452f e07a54 f0b48c f6ead6",
        "1f3a4a 2f5f6b 7a8f8a d9b48a",
        "1f4e5a f2b04c c6452f 2b2b3a f0dcc0",
        "1b2b38 f6eddc fbe0a8",
    ),
    "island": _palette(
        "9fc0d0 cfdcd8 efe9da",
        "7a2a22 b0432f e0a07a f4dcc0",
        "b0432f 35618c c9563d e2a03f 6f8f6a",
        "35312e efe9da fff2d2",
    ),
    "carpet": _palette(
        "b9b3a4 d6cdb8 efe6d2",
        "3a1016 7d1f2c c77d3a e5dccb",
        "7d1f2c 1f3254 e5dccb c77d3a 2f5a4c",
        "1b1418 ece3d0 f3d9a0",
    ),
    "indigo carpet": _palette(
        "a8b0b8 cdd0cc e8e4d6",
        "0f1a30 1f3254 8a3a30 e8dcc4",
        "203a63 8c2f2a ecdfc6 d09a4a 4b7a78",
        "121826 ede6d6 f0d8a4",
    ),
    "orchard": _palette(
        "dfe3d6 eee7d6 f6eddc",
        "4a6a6d 8aa39c cfd8cf e6e8dc",
        "e5b53c c4472f 8fa84a ea8f4f 6a3f5a",
        "3b2d26 f4ecdc fff0c8",
    ),
    "pencils": _palette(
        "9fbfc0 d6ddcf f3e6cc",
        "22304a 1d4e57 2f7f79 89a894",
        "1d4e57 2f7f79 e2a03f c8452e 22304a",
        "22304a f6f1e6 ffe9b8",
    ),
}
