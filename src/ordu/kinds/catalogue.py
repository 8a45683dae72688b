"""The catalogue: what this horde's operator says of models, in the file `models.toml`.

Any model may be asked for and offered; there is no list built in. What stands in the file is known
better: rules about baselines hold for it, prices can depend on it, and who asks for it is warned of
steps it was not made for. An entry is a table named as the model:

    ["Flux.1-Schnell fp8 (Compact)"]
    baseline = "flux_1"
    max_steps = 8
    max_cfg_scale = 1.5
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ordu.protocol.params import Sampler
from ordu.settings import Baseline, SettingError

Steps: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
CfgScale: TypeAlias = Annotated[float, Meta(ge=-40, le=100)]
FILE_BYTES_MAX = 4 * 1024 * 1024


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one model. What is not said is not held against anybody."""

    baseline: Baseline | None = None
    nsfw: bool = False  # made for such pictures
    inpainting: bool | None = None  # True: for nothing else; False: not for that; None: for both
    min_steps: Steps | None = None
    max_steps: Steps | None = None
    cfg_scale: CfgScale | None = None
    min_cfg_scale: CfgScale | None = None
    max_cfg_scale: CfgScale | None = None
    clip_skip: Annotated[int, Meta(ge=1, le=12)] | None = None
    samplers: tuple[Sampler, ...] = ()
    schedulers: tuple[Literal["karras", "simple"], ...] = ()


@dataclass(frozen=True)
class Catalogue:
    """The models that are known, by name."""

    models: Mapping[str, Model] = field(default_factory=dict)
    only_listed: bool = False  # whether workers may offer no others

    def of(self, names: Iterable[str]) -> dict[str, Model]:
        """What is known of those of these models that are listed."""
        return {name: self.models[name] for name in names if name in self.models}

    def baselines(self, names: Iterable[str]) -> frozenset[Baseline]:
        """The baselines of those of these models that have one."""
        return frozenset(model.baseline for model in self.of(names).values() if model.baseline)

    def offered(self, names: Collection[str], *, is_customizer: bool) -> frozenset[str]:
        """Those of a worker's models that it may offer; a customizer's may offer any."""
        return frozenset(names if is_customizer or not self.only_listed else self.of(names))

    def is_listed(self, name: str) -> bool:
        """Whether a model counts as known; without a list, every one does."""
        return name in self.models or not self.models


def read_catalogue(path: Path, *, only_listed: bool = False) -> Catalogue:
    """The catalogue in a file; an empty one where there is no file.

    Raises:
        SettingError: the file cannot be read or says what is not allowed, and where.
    """
    content = read_file(path)
    if only_listed and not content:
        raise SettingError(
            f"Setting only_listed_models is on and {path} lists no models: nothing could be drawn."
        )
    models = {name: read_model(path, name, entry) for name, entry in content.items()}
    return Catalogue(models, only_listed)


def read_file(path: Path) -> Mapping[str, object]:
    """The tables of the file, by the models' names."""
    try:
        if not path.exists():
            return {}
        if path.stat().st_size > FILE_BYTES_MAX:
            raise SettingError(f"Models file {path} is larger than {FILE_BYTES_MAX} bytes.")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"Models file {path}: {error.strerror or 'unreadable'}.") from error
    except ValueError as error:
        raise SettingError(f"Models file {path} is not TOML: {error}.") from error


def read_model(path: Path, name: str, entry: object) -> Model:
    """One entry of the file."""
    try:
        model = msgspec.convert(entry, Model)
    except msgspec.ValidationError as error:
        raise SettingError(f'Models file {path} ["{name}"]: {error}.') from error
    pairs = ((model.min_steps, model.max_steps), (model.min_cfg_scale, model.max_cfg_scale))
    if any(low is not None and high is not None and low > high for low, high in pairs):
        raise SettingError(f'Models file {path} ["{name}"]: a least value is above the most.')
    return model
