"""Scenes: what can be painted. Each is a function from a page to a picture.

`SCENES` gives for each name its painter, the palettes it looks best in, and how strong its grain
is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ordu.worker.backends.sketch.canvas import Page, Pixels
from ordu.worker.backends.sketch.scenes.land import dunes, lake, mountains
from ordu.worker.backends.sketch.scenes.motion import flock, flow
from ordu.worker.backends.sketch.scenes.night import city, fires, space
from ordu.worker.backends.sketch.scenes.paper import island, rug, shapes
from ordu.worker.backends.sketch.scenes.still import flowers, fruit
from ordu.worker.backends.sketch.scenes.trees import forest, snow, tree
from ordu.worker.backends.sketch.scenes.water import rain, sea


@dataclass(frozen=True)
class Scene:
    """A scene: its painter and the palettes it is painted in when the prompt names none."""

    paint: Callable[[Page], Pixels]
    palettes: tuple[str, ...]
    grain: float = 5.0  # standard deviation, in steps of 255


SCENES: dict[str, Scene] = {
    "dunes": Scene(dunes, ("desert", "rose desert", "sunset", "gold")),
    "mountains": Scene(mountains, ("dusk", "dawn", "sunset", "fjord", "blue", "vintage"), 6),
    "lake": Scene(lake, ("fjord", "dawn", "dusk", "teal", "autumn"), 6),
    "sea": Scene(sea, ("indigo", "vermilion", "teal", "sunset", "night"), 4),
    "fires": Scene(fires, ("night", "blue", "purple", "teal")),
    "city": Scene(city, ("night", "neon", "sunset", "teal", "blue")),
    "space": Scene(space, ("night", "vermilion", "purple", "teal", "sunset")),
    "island": Scene(island, ("island", "vintage", "teal", "indigo"), 4),
    "rug": Scene(rug, ("carpet", "indigo carpet", "vintage", "teal"), 9),
    "fruit": Scene(fruit, ("orchard", "vintage", "pastel", "summer")),
    "flow": Scene(flow, ("pencils", "vintage", "teal", "sunset", "autumn"), 7),
    "flock": Scene(flock, ("dawn", "dusk", "pastel", "sunset", "vintage")),
    "rain": Scene(rain, ("night", "neon", "teal", "sunset"), 4),
    "forest": Scene(forest, ("fjord", "green", "dawn", "autumn", "dusk"), 6),
    "snow": Scene(snow, ("winter", "dawn", "white", "blue", "night")),
    "tree": Scene(tree, ("spring", "autumn", "dawn", "vintage", "sunset")),
    "flowers": Scene(flowers, ("spring", "vintage", "pastel", "summer", "pink"), 6),
    "shapes": Scene(shapes, ("vintage", "vermilion", "pencils", "summer", "pastel"), 6),
}
