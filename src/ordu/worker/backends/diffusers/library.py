"""Which models, LoRAs and safety checkers are on this machine's disk. Nothing is downloaded."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ordu.worker.backends import BackendError
from ordu.worker.backends.diffusers.checkpoints import Build, UnusableError, of_file, of_folder
from ordu.worker.backends.diffusers.settings import DiffusersSettings

WEIGHTS = ".safetensors"
ENTRIES_MAX = 2000  # of one folder; more are not looked at


class UnloadableError(BackendError):
    """This model cannot be brought into memory; it is not offered for a while."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model on disk."""

    name: str  # of its folder or file
    path: Path
    build: Build
    description: Path | None = None  # of a single file: the folder that says how to put it together


@dataclass(frozen=True, slots=True)
class Library:
    """What is on disk."""

    models: Mapping[str, Model] = field(default_factory=dict)
    loras: Mapping[str, Path] = field(default_factory=dict)
    checker: Path | None = None  # a model folder or checker's folder, see `safety`
    unusable: Mapping[str, str] = field(default_factory=dict)  # what was found but not taken: why


def scan(settings: DiffusersSettings, environ: Mapping[str, str] = os.environ) -> Library:
    """Look at the disk; quick, because of no file more than the head is read."""
    unusable: dict[str, str] = {}
    builds: dict[Path, Build] = {}
    for path in _places(settings, environ, unusable):
        try:
            builds[path] = of_folder(path) if path.is_dir() else of_file(path)
        except UnusableError as problem:
            unusable[path.name] = str(problem)
    models: dict[str, Model] = {}
    for path, build in builds.items():
        model = _model(path, build, builds, unusable)
        if model is not None:
            models.setdefault(model.name, model)
    return Library(models, _loras(settings), _checker(settings, list(builds)), unusable)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where Hugging Face's programs keep what they downloaded."""
    if named := environ.get("HF_HUB_CACHE"):
        return Path(named)
    home = environ.get("HF_HOME") or Path(
        environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(home).expanduser() / "hub"


def cached_ids(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The ids of the models in that cache that can be drawn with, as org/name."""
    for entry in _entries(cache_folder(environ)):
        if entry.name.startswith("models--"):
            model_id = entry.name.removeprefix("models--").replace("--", "/", 1)
            folder = cached(model_id, environ)
            if folder is not None and _is_whole(folder):
                yield model_id


def cached(model_id: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a model in that cache; None when it is not there."""
    folder = cache_folder(environ) / ("models--" + model_id.replace("/", "--"))
    try:
        commit = (folder / "refs" / "main").read_text().strip()
    except OSError:
        commit = ""
    snapshots = folder / "snapshots"
    for snapshot in [snapshots / commit] if commit else _entries(snapshots):
        if (snapshot / "model_index.json").is_file():
            return snapshot
    return None


def _places(
    settings: DiffusersSettings, environ: Mapping[str, str], unusable: dict[str, str]
) -> Iterator[Path]:
    """Every folder with a description of a model, and every file of weights."""
    for entry in _entries(Path(settings.folder).expanduser()):
        if (entry / "model_index.json").is_file() or _is_weights(entry):
            yield entry
    for named in settings.model_paths:
        path = Path(named).expanduser()
        place = path if path.exists() else cached(named, environ)
        if place is None:
            unusable[named] = "there is no such folder or file, and no such id in the cache"
        elif place.is_dir() and not (place / "model_index.json").is_file():
            unusable[named] = "this folder has no model_index.json"
        else:
            yield place


def _model(
    path: Path, build: Build, builds: Mapping[Path, Build], unusable: dict[str, str]
) -> Model | None:
    if path.is_dir():
        # Only a description: it serves files of the same build.
        return Model(_name(path), path, build) if _has_weights(path) else None
    alike = (each for each, its in builds.items() if each.is_dir() and its == build)
    description = next(alike, None)
    if description is None:
        unusable[path.name] = (
            "it has only weights: put a model folder of the same build beside it, with"
            " model_index.json, tokenizer and the config.json of each part; its weights can be left"
            " out"
        )
        return None
    return Model(path.stem, path, build, description)


def _name(folder: Path) -> str:
    """A folder's name; in the cache, where folders are named after commits, the model's."""
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        return folder.parent.parent.name.split("--", 2)[-1]
    return folder.resolve().name


def _loras(settings: DiffusersSettings) -> Mapping[str, Path]:
    if not settings.loras:
        return {}
    files = _entries(Path(settings.loras).expanduser())
    return {each.stem: each for each in files if _is_weights(each)}


def _checker(settings: DiffusersSettings, places: list[Path]) -> Path | None:
    """The safety checker: the one set, else the first that came with a model."""
    match settings.safety_checker:
        case "off":
            return None
        case "on":
            parts = ((each, each / "safety_checker") for each in places)
            return next((each for each, part in parts if any(part.glob("*" + WEIGHTS))), None)
        case named:
            return Path(named).expanduser()


def _is_whole(folder: Path) -> bool:
    try:
        of_folder(folder)
    except UnusableError:
        return False
    return _has_weights(folder)


def _has_weights(folder: Path) -> bool:
    return any((folder / "unet").glob("*" + WEIGHTS))


def _is_weights(path: Path) -> bool:
    return path.suffix == WEIGHTS and path.is_file()


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing when it is not there."""
    try:
        return sorted(folder.iterdir())[:ENTRIES_MAX]
    except OSError:
        return []
