"""What is said and shipped for whoever runs a server is true: options, unit, container, board, figures."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from coterie.base import limits
from coterie.cli import operator_arguments
from coterie.cli.arguments import Arguments, parse
from coterie.cli.configuration import SETTINGS
from coterie.cli.parser import Parser, everywhere
from coterie.server.serve import OTHER_FILES
from tests.real.programs import Client, Server
from tests.server.prometheus import Scrape

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
UNIT = (DEPLOY / "coterie.service").read_text(encoding="utf-8")
CONTAINER = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
OPTION = re.compile(r"^\| `(--[a-z-]+)(?: [^`]+)?` \|", re.MULTILINE)
EVERYWHERE = {"--home", "--profile", "--password-file"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Kind and label of every figure of a real server that has taken something, and refused something."""
    folder = tmp_path_factory.mktemp("operating")
    server = Server(folder / "server")
    server.start()
    try:
        Client(folder / "alice", "alice").sign_up(server.invite)
        again = Client(folder / "other", "alice").run("signup", "alice", "--server", server.invite)
        assert again.line["error"] == "name-taken"
        with urlopen(f"http://{server.metrics}/metrics", timeout=30) as answer:
            page = Scrape(answer.read().decode())
    finally:
        server.stop()
    labels = {name: labels.partition("=")[0] for name, labels in page.samples}
    return {name: (kind, labels.get(name, "")) for name, kind in page.kinds.items()}


def started() -> Arguments:
    """What the unit says."""
    shell, flag, line = shlex.split(re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)[0])
    assert (shell, flag) == ("/bin/sh", "-c")
    program, said = line.removeprefix("exec ").split(" ", 1)
    assert program == "/opt/coterie/bin/coterie"
    words, _, invite = said.partition(" >")
    assert invite == "/run/coterie/invite"
    return parse(shlex.split(words))


def test_the_page_has_every_option_and_no_other() -> None:
    parser = Parser()
    operator_arguments.serve(parser)
    everywhere(parser)
    said = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    told = {action.option_strings[-1] for action in said} - {"--help"}
    assert {action.option_strings[-1] for action in parser._actions} >= EVERYWHERE
    rows = OPTION.findall(PAGE)
    assert len(rows) == len(set(rows))
    assert set(rows) == told - EVERYWHERE


def test_the_page_has_the_setting_of_every_option_that_has_one() -> None:
    parser = Parser()
    operator_arguments.serve(parser)
    everywhere(parser)
    of_option = {action.option_strings[-1]: action.dest for action in parser._actions}
    rows = re.findall(r"^\| `(--[a-z-]+)(?: [^`]+)?` \| `([a-z_.]+)(?: =[^`]*)?`", PAGE, re.MULTILINE)
    known = {each.name: each.attribute for each in SETTINGS}
    assert {name: of_option[option] for option, name in rows} == known


@pytest.mark.parametrize("line", re.findall(r"^    coterie (.*)$", PAGE, re.MULTILINE))
def test_a_command_of_the_page_can_be_typed(line: str) -> None:
    parse(shlex.split(line))


def test_the_unit_starts_a_server_with_the_folder_and_the_files_it_is_given() -> None:
    given = started()
    assert given.command == "serve"
    assert given.data == Path("/var/lib/coterie")
    assert "StateDirectory=coterie" in UNIT
    assert "RuntimeDirectory=coterie" in UNIT
    assert given.metrics is not None
    assert given.metrics.startswith("127.0.0.1:")
    assert given.open_sign_up is False
    files = re.findall(r"^LimitNOFILE=(\d+)$", UNIT, re.MULTILINE)
    assert [int(number) for number in files] == [limits.CONNECTIONS_MAX + OTHER_FILES]


def test_the_unit_gives_a_server_nothing_it_does_not_need() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE))
    assert settings["User"] == settings["Group"] == "coterie"
    assert settings["CapabilityBoundingSet"] == settings["AmbientCapabilities"] == ""
    assert (settings["ProtectSystem"], settings["UMask"], settings["LimitCORE"]) == ("strict", "0077", "0")
    assert settings["StateDirectoryMode"] == settings["RuntimeDirectoryMode"] == "0700"
    wanted = "NoNewPrivileges PrivateDevices PrivateTmp ProtectHome RestrictNamespaces MemoryDenyWriteExecute"
    assert {settings[name] for name in wanted.split()} == {"yes"}


def test_the_container_serves_as_nobody_from_its_volume() -> None:
    (line,) = re.findall(r"^ENTRYPOINT (.*)$", CONTAINER, re.MULTILINE)
    program, *words = json.loads(line)
    assert program == "/opt/coterie/bin/coterie"
    given = parse(words)
    assert given.command == "serve"
    assert f"VOLUME {given.data}" in CONTAINER
    assert f"EXPOSE {(given.listen or '').rpartition(':')[2]}" in CONTAINER
    assert f"http://{given.metrics}/readyz" in CONTAINER
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", CONTAINER, re.MULTILINE)
    assert parse([*words, "--metrics", "0.0.0.0:9464"]).metrics == "0.0.0.0:9464"


def test_the_container_is_made_of_files_that_are_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINER, re.MULTILINE)
    assert all((ROOT / name).exists() for names in copied for name in names.split())
    assert "--require-hashes" in CONTAINER


@pytest.mark.slow
def test_what_is_told_stands_on_the_page_and_on_the_board(told: dict[str, tuple[str, str]]) -> None:
    row = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \| (?:`(\w+)`)? ?\|", re.MULTILINE)
    page = {name: (kind, label) for name, kind, label in row.findall(PAGE)}
    assert page == told
    board = (DEPLOY / "grafana.json").read_text(encoding="utf-8")
    shown = figures_of(expressions(json.loads(board)), told)
    assert shown == set(told)


@pytest.mark.slow
def test_what_the_page_says_to_look_at_is_told(told: dict[str, tuple[str, str]]) -> None:
    looked_at = re.findall(r"^\| `([^`]*(?:rate|_)[^`]*[<>][^`]*)` \|", PAGE, re.MULTILINE)
    assert len(looked_at) > 5
    figures_of(looked_at, told)


def expressions(board: Any) -> list[str]:
    """All queries of a board."""
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(queries) > 20
    return [*queries, *(each["query"] for each in board["templating"]["list"])]


def figures_of(queries: list[str], told: dict[str, tuple[str, str]]) -> set[str]:
    """The figures that these ask for; each is told, and as what it is."""
    found: set[str] = set()
    for query in queries:
        for name in re.findall(r"\b(?:coterie|process)_\w+", query):
            family = name.removesuffix("_bucket")
            kind, label = told[family]
            assert (kind == "histogram") == name.endswith("_bucket"), name
            assert (kind != "gauge") == ("rate(" in query), query
            by = re.search(r"by \((\w+)\)", query)
            assert by is None or by[1] == label
            found.add(family)
    return found
