"""Options made from settings: every setting is an option by the name its description gives it.

What stands on the command line is handed to the one reader of `ordu.settings` as it is, so that a
wrong value is refused in the same words wherever it was given.
"""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import inspect

from ordu.settings import Reading, Setting, Settings, as_text, describe, read

T = TypeVar("T", bound=Settings)
F = TypeVar("F", bound=Callable[..., Any])

USUAL = "Options"
SWITCH_HELP = {"migrate": "Refuse an older database instead of bringing it up to date."}
METAVARS = {
    "model_names": "NAME=TEXT,…",
    "data": "DIR",
    "url": "URL",
    "public_url": "URL",
    "database": "URL",
    "images": "URL",
}


class SectionOption(click.Option):
    """An option that the help shows under a title of its own."""

    def __init__(self, *arguments: Any, section: str = "", **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.section = section


class SettingOption(click.Option):
    """An option that stands for a setting."""

    is_main = True


class SettingsCommand(click.Command):
    """A command whose help shows the options most people need before the others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options in the help, in sections: usual ones, those with a title, other settings."""
        sections: dict[str, list[tuple[str, str]]] = {USUAL: []}
        further: list[tuple[str, str]] = []
        example = None
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None or isinstance(parameter, click.Argument):
                continue
            if isinstance(parameter, SettingOption):
                example = example or parameter
                (sections[USUAL] if parameter.is_main else further).append(record)
            else:
                sections.setdefault(_section(parameter), []).append(record)
        for title, records in (*sections.items(), ("Further settings", further)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if example is not None:
            formatter.write_paragraph()
            formatter.write_text(
                f"A setting comes from its option, else from the environment ({example.opts[0]} is"
                f" ORDU_{str(example.name).upper()} there), else from ordu.toml."
                " `ordu config` shows what is in force."
            )


def _section(parameter: click.Parameter) -> str:
    return (parameter.section if isinstance(parameter, SectionOption) else "") or USUAL


def setting_options(
    kind: type[Settings],
    *,
    main: Collection[str] | None = None,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    config_help: str = "Read settings from this file instead of ordu.toml here.",
) -> Callable[[F], F]:
    """Give a command an option for each setting of a kind, and `--config`.

    `main` are those shown first (all, without it), `only` and `without` choose among them.
    """

    def add(function: F) -> F:
        chosen = [
            each
            for each in describe(kind)
            if each.name not in without and (only is None or each.name in only)
        ]
        for setting in reversed(chosen):
            option = _option(setting, is_main=main is None or setting.name in main)
            function = click.option(*option.pop("names"), **option)(function)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help=config_help,
        )(function)

    return add


def read_options(
    kind: type[T], given: Mapping[str, Any], config: Path | None = None, *, backend: str = ""
) -> Reading[T]:
    """The settings of a kind from options, environment and file; or those of this backend."""
    return read(kind, given, os.environ, config, backend=backend)


def _option(setting: Setting, *, is_main: bool) -> dict[str, Any]:
    cls = SettingOption if is_main else type("Further", (SettingOption,), {"is_main": False})
    option: dict[str, Any] = {"names": (setting.flag, setting.name), "cls": cls, "default": None}
    if setting.is_switch:
        help_ = SWITCH_HELP.get(setting.name, setting.description)
        return {**option, "is_flag": True, "flag_value": "off", "help": help_}
    default = "" if setting.is_secret else as_text(setting.default)
    shown = f"{setting.description} [{default}]" if default else setting.description
    return {**option, "metavar": _metavar(setting), "help": shown}


def _metavar(setting: Setting) -> str:
    words = "KEY" if setting.is_secret else METAVARS.get(setting.name, "TEXT")
    match setting.type:
        case inspect.BoolType():
            words = "on|off"
        case inspect.IntType() | inspect.FloatType():
            words = "NUMBER"
        case inspect.LiteralType(values=values):
            words = "|".join(map(str, values))
        case inspect.VarTupleType():
            words = "LIST"
        case inspect.DictType(value_type=inspect.StrType()):
            words = "NAME=TEXT,…"
        case inspect.DictType():
            words = "NAME=NUMBER,…"
    return words
