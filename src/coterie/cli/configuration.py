"""What `coterie serve` is told besides its command line: `server.toml` in its folder, and the environment.

An option counts before the environment, which counts before the file, which counts before what goes without
saying. What nobody knows is refused by its name; values are never repeated in an error: there may be a
password in one.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from coterie.cli.arguments import Arguments
from coterie.cli.parser import UsageError, blobs_url, count, database_url, keep_days, nats_urls

FILE = "server.toml"
FILE_BYTES = 64 * 1024
FILE_MODE, FOLDER_MODE = 0o600, 0o700
DEFAULT_LISTEN = "127.0.0.1:4433"
DEFAULT_METRICS = "127.0.0.1:0"
_PREFIX, _SEPARATOR = "COTERIE_", "__"
_PASSWORDS = (
    (re.compile(r"(//[^:/@,]*):[^@/]*@"), r"\1:***@"),
    (re.compile(r"([?&]password=)[^&]*"), r"\1***"),
)


def _sign_up(text: str) -> bool:
    return {"open": True, "invite": False}[text]


def _log_format(text: str) -> str:
    return {"text": "text", "json": "json"}[text]


def _yes_or_no(text: str) -> bool:
    return {"true": True, "false": False}[text]


class Setting(msgspec.Struct, frozen=True):
    """name: SECTION.KEY. attribute: of Arguments. taken: reads it, or raises. example: as it stands in a
    fresh file, in TOML. in_file: where it cannot stand there, it can stand in the environment."""

    name: str
    attribute: str
    taken: Callable[[str], object]
    says: str
    example: str
    in_file: bool = True

    @property
    def variable(self) -> str:
        return _PREFIX + self.name.upper().replace(".", _SEPARATOR)


SETTINGS: Final = (
    Setting("server.data", "data", Path, "where everything of the server lies", "", in_file=False),
    Setting("server.listen", "listen", str, "where to accept connections", f'"{DEFAULT_LISTEN}"'),
    Setting("server.cert", "cert", Path, "TLS certificates, PEM; goes with key", '"/etc/coterie/chain.pem"'),
    Setting("server.key", "key", Path, "its private key, PEM", '"/etc/coterie/key.pem"'),
    Setting("server.sign_up", "open_sign_up", _sign_up, "who may sign up: open, or invite", '"invite"'),
    Setting("server.workers", "workers", count, "processes on one port, with a database", "1"),
    Setting(
        "server.keep_days", "keep_days", keep_days, "days to keep what nobody fetched; at least 30", "30"
    ),
    Setting("database.url", "database", database_url, "a PostgreSQL, not a file", '"postgresql:///coterie"'),
    Setting("blobs.url", "blobs", blobs_url, "an S3-like store for sealed files", '"s3://bucket/prefix"'),
    Setting("wakeups.url", "wakeups", nats_urls, "a NATS between servers", '"nats://127.0.0.1:4222"'),
    Setting("metrics.listen", "metrics", str, "health and figures; off: nowhere", f'"{DEFAULT_METRICS}"'),
    Setting("log.format", "log_format", _log_format, "text, or json", '"text"'),
    Setting("log.verbose", "verbose", _yes_or_no, "more in the log", "false"),
)
_Words = dict[str, tuple[str, str]]
"""Name -> what is said, and where that stands."""
_BY_NAME = {each.name: each for each in SETTINGS}
_BY_VARIABLE = {each.variable: each for each in SETTINGS}


class Said(msgspec.Struct, frozen=True):
    """One setting that was said. value: without passwords; where: option, environment or file."""

    name: str
    value: str
    where: str


def configure(
    given: Arguments, environment: Mapping[str, str], folder: Callable[[Arguments], Path]
) -> list[Said]:
    """Complete what the command line left out; all that was said. folder: where the data lies, which the
    environment may have said. Raises UsageError."""
    said = [
        Said(each.name, _shown(each, getattr(given, each.attribute)), "option")
        for each in SETTINGS
        if _was_said(each, getattr(given, each.attribute))
    ]
    said += _added(said, given, _of_environment(environment), "environment")
    said += _added(said, given, _of_file(folder(given) / FILE), "file")
    if (given.cert is None) != (given.key is None):
        raise UsageError("", "server.cert and server.key belong together")
    return said


def _added(said: list[Said], given: Arguments, words: _Words, where: str) -> list[Said]:
    """What counts of these, as nothing before says it; all of them have to be right."""
    values = {name: _taken(_BY_NAME[name], text, place) for name, (text, place) in words.items()}
    known = {each.name for each in said}
    for name in values.keys() - known:
        setattr(given, _BY_NAME[name].attribute, values[name])
    return [Said(name, _hidden(words[name][0]), where) for name in values if name not in known]


def _was_said(setting: Setting, value: object) -> bool:
    return value is not None and (value is not False or setting.attribute != "verbose")


def write_template(folder: Path) -> None:
    """The file with every setting in comments, where there is none; where it cannot be written, nothing."""
    with suppress(OSError):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        handle = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(template())


def template() -> str:
    """What a fresh file says: nothing, but how it would be said."""
    lines = [
        "# What is said here counts where neither an option nor the environment says otherwise.",
        "# Take the # away before a section and what it is to say; coterie serve --check-config looks at it.",
    ]
    section = ""
    for each in SETTINGS:
        if not each.in_file:
            continue
        of, _, key = each.name.partition(".")
        if of != section:
            section = of
            lines += ["", f"# [{section}]"]
        lines += [f"# # {each.says}", f"# {key} = {each.example}"]
    return "\n".join(lines) + "\n"


def _of_environment(environment: Mapping[str, str]) -> _Words:
    found: _Words = {}
    for variable, text in environment.items():
        if not variable.startswith(_PREFIX) or _SEPARATOR not in variable:
            continue
        setting = _BY_VARIABLE.get(variable)
        if setting is None:
            raise UsageError("", f"{variable} is no setting{_meant(variable, _BY_VARIABLE)}")
        found[setting.name] = text, variable
    return found


def _of_file(path: Path) -> _Words:
    found: _Words = {}
    for section, keys in _sections_of(path).items():
        if not isinstance(keys, dict):
            raise UsageError("", f"{path}: {section} stands in no section{_meant(section, _BY_NAME)}")
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in _BY_NAME:
                raise UsageError("", f"{path}: {name} is no setting{_meant(name, _BY_NAME)}")
            found[name] = _text(name, value, path), f"{path}: {name}"
    return found


def _sections_of(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError("", f"{path} cannot be read ({error.strerror})") from None
    if len(content) > FILE_BYTES:
        raise UsageError("", f"{path} is too large")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise UsageError("", f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError("", f"{path} is not TOML: {error}") from None


def _text(name: str, value: object, path: Path) -> str:
    """As the environment would say it; each setting has one type."""
    setting = _BY_NAME[name]
    if not setting.in_file:
        raise UsageError("", f"{path}: {name} is where this file lies: say --data, or {setting.variable}")
    wanted = type(tomllib.loads(f"one = {setting.example}")["one"])
    if type(value) is not wanted:
        kinds = {str: "a text in quotes", int: "a number", bool: "true or false"}
        raise UsageError("", f"{path}: {name} takes {kinds[wanted]}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _taken(setting: Setting, text: str, place: str) -> object:
    try:
        if not text:
            raise ValueError
        return setting.taken(text)
    except (ValueError, KeyError):
        example = setting.example or "a folder"
        raise UsageError("", f"{place} cannot be read: {setting.says} (such as {example})") from None


def _meant(name: str, known: Mapping[str, Setting]) -> str:
    close = [each for each in known if each.endswith(f".{name}")]
    close = close or difflib.get_close_matches(name, known, 1)
    return f": did you mean {close[0]}?" if close else ""


def _shown(setting: Setting, value: object) -> str:
    if setting.taken is _sign_up:
        return "open" if value else "invite"
    return _hidden(str(value).lower() if isinstance(value, bool) else str(value))


def _hidden(text: str) -> str:
    """Without a password."""
    for pattern, instead in _PASSWORDS:
        text = pattern.sub(instead, text)
    return text
