"""The whole bench, on sizes so small that its figures mean nothing: it runs, and says what it has to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.cli.failures import Exit
from coterie.trials.bench import TRIALS, Plan

RUN_SECONDS = 280
PATIENCE_SECONDS = 300
"""Of a machine on which much else runs: alone it takes a tenth."""
PROMISED = [
    "server.direct.2x1",
    "server.direct.1x8",
    "server.direct.open200.p50",
    "server.direct.open200.p99",
    "server.direct.open1000.p50",
    "server.direct.open1000.p99",
    "server.throughput",
    "server.throughput.cpu",
    "server.room.3",
    "server.room.4",
    "server.room.flat",
    "server.idle.3.memory",
    "server.idle.3.open",
    "server.idle.3.still",
    "server.connections.4",
    "server.connections.6",
    "server.connections.flat",
    "server.entries.1000",
    "server.entries.3000",
    "server.entries.flat",
    "server.drain",
    "server.drain.cpu",
    "server.storm",
    "server.storm.p50",
    "server.storm.p99",
    "server.storm.cpu",
    "server.killed.acknowledged",
    "server.killed.lost",
    "server.killed.twice",
    "talk.turn",
    "talk.server",
    "talk.clients",
    "client.messages.batch.seal",
    "client.messages.batch.seal_megolm",
    "client.messages.batch.seal_x_wing",
    "client.messages.batch.open",
    "client.messages.batch.answer",
    "client.messages.single.seal",
    "client.messages.single.open",
    "client.messages.single.seal_above",
    "client.messages.single.open_above",
    "client.messages.single.seal_at_design",
    "client.messages.single.open_at_design",
    "client.receipts.batch",
    "client.receipts.batch.answer",
    "client.receipts.batch.of_send",
    "client.receipts.single",
    "client.repair",
    "client.repair.p95",
    "client.fan_out.2.first",
    "client.fan_out.2.stall",
    "client.fan_out.2.again",
    "client.fan_out.2.bytes",
    "client.fan_out.3.first",
    "client.fan_out.3.stall",
    "client.fan_out.3.again",
    "client.fan_out.3.bytes",
    "client.catch_up",
    "client.catch_up.at_design",
    "client.catch_up.cpu",
    "client.catch_up.said",
    "client.doors.sign_up",
    "client.doors.log_in",
    "client.doors.unlock",
    "client.doors.live",
    "client.memory",
    "ledger.append",
    "ledger.inclusion",
    "ledger.consistency",
    "ledger.client",
    "ledger.audit",
    "ledger.bytes",
    "ledger.delta",
    "ledger.log_in",
    "ledger.send",
    "ledger.heard",
    "ledger.fresh",
]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coterie.cli", "bench", *words]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


REPAIR_PAUSE_SECONDS = 0.2
"""So long nobody is asked for what may still come."""
ALONE = ("window", "server.recovery")
"""A display is needed for one, and up to two minutes where a machine is busy for the other."""
OF_SERVER = "server."


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.parametrize("of_server", [True, False])
def test_every_figure_is_measured_and_said_in_json(of_server: bool, tmp_path: Path) -> None:
    chosen = [name for name in TRIALS if name not in ALONE and name.startswith(OF_SERVER) is of_server]
    only = [word for name in chosen for word in ("--only", name)]
    charts = tmp_path / "charts"
    ended = bench("--scale", "tiny", "--json", "--seed", "7", "--charts", str(charts), *only)
    assert ended.returncode == Exit.DONE, ended.stderr
    machine, *figures = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (machine["seed"], machine["quick"]) == (7, True)
    assert machine["fsync_ms"] > 0
    assert {"picows", "vodozemac", "SQLite"} <= machine["versions"].keys()
    assert "synchronous=FULL" in machine["durability"]
    promised = [name for name in PROMISED if name.startswith(OF_SERVER) is of_server]
    assert [figure["figure"] for figure in figures] == promised
    drawn = {"latency.svg", "cost-by-room.svg", "cost-by-connections.svg", "cost-by-entries.svg"}
    assert {file.name for file in charts.iterdir()} == (drawn if of_server else set())
    for figure in figures:
        check_figure(figure)
    by_name = {figure["figure"]: figure["value"] for figure in figures}
    if not of_server:
        assert by_name["client.repair"]["min"] >= REPAIR_PAUSE_SECONDS, "nothing was lost"


def check_figure(figure: dict[str, Any]) -> None:
    assert figure["what"]
    assert figure["unit"] in ("us", "ms", "s", "KiB", "MiB", "KB", "MB", "messages/s", "messages")
    value = figure["value"]
    assert value["min"] <= value["median"] <= value["max"]
    assert figure["rounds"] >= 1
    if "floor" in figure:
        assert figure["floor"]["median"] > 0
    assert isinstance(figure.get("met"), bool) == ("targets" in figure)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_one_process_and_two_are_measured_on_a_postgresql() -> None:
    """In the same rounds, with what the engines use as figures of their own."""
    by_name = on_postgres(
        "--on", "postgres,cluster", "--only", "server.throughput", "--only", "server.killed"
    )
    for site in ("postgres", "cluster"):
        for name in ("throughput", "throughput.cpu", "throughput.cpu.database"):
            assert by_name[f"{site}.{name}"]["value"]["median"] > 0
        assert by_name[f"{site}.killed.lost"]["value"]["max"] == 0
        assert by_name[f"{site}.killed.acknowledged"]["value"]["min"] > 0
    assert by_name["cluster.throughput.cpu.bus"]["value"]["median"] > 0
    assert "postgres.throughput.cpu.bus" not in by_name
    assert by_name["postgres.throughput"]["targets"] == [">= 5000 messages/s"]
    assert by_name["cluster.throughput.core"]["targets"] == [">= 1x floor"]
    assert "targets" not in by_name["cluster.throughput.core.each"]
    assert by_name["cluster.throughput.core.apart"]["floor"]["median"] > 0
    assert not any(name.startswith("apart") for name in by_name)
    assert by_name["cluster.throughput.each"]["value"]["median"] > 0
    assert "postgres.throughput.each" not in by_name


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE_SECONDS)
def test_a_postgresql_is_filled_before_it_is_measured() -> None:
    by_name = on_postgres("--on", "postgres", "--only", "server.entries")
    assert [name for name in by_name if not name.endswith(".database")] == [
        "postgres.entries.1000",
        "postgres.entries.3000",
        "postgres.entries.flat",
    ]
    assert by_name["postgres.entries.flat"]["targets"] == ["<= 1.15x floor"]


def on_postgres(*words: str) -> dict[str, Any]:
    ended = bench("--scale", "tiny", "--json", *words)
    assert ended.returncode == Exit.DONE, ended.stderr
    machine, *figures = [json.loads(line) for line in ended.stdout.splitlines()]
    assert "PostgreSQL" in machine["durability"]
    for figure in figures:
        check_figure(figure)
    return {figure["figure"]: figure for figure in figures}


@pytest.mark.slow
def test_a_person_gets_a_table_of_what_they_asked_for() -> None:
    ended = bench("--scale", "tiny", "--only", "talk")
    assert ended.returncode == Exit.DONE, ended.stderr
    lines = ended.stdout.splitlines()
    assert "fsync takes" in lines[0]
    assert [line.split()[0] for line in lines[2:]] == ["figure", "talk.turn", "talk.server", "talk.clients"]


def test_a_part_of_the_list_is_chosen_by_the_beginning_of_a_name() -> None:
    of_server = [name for name in TRIALS if name.startswith("server.")]
    assert Plan("tiny", ("server",), 1).chosen() == of_server
    assert Plan("tiny", ("client.doors.unlock",), 1).chosen() == ["client.doors"]
    assert Plan("tiny", (), 1).chosen() == [*TRIALS]


@pytest.mark.parametrize("on", [(), ("",), ("mysql",), ("sqlite", "sqlite")])
def test_data_that_can_lie_nowhere_is_refused(on: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as caught:
        Plan("tiny", (), 1, on).chosen()
    assert caught.value.code is Code.USAGE


def test_a_name_that_nothing_has_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        Plan("tiny", ("sever",), 1).chosen()
    assert caught.value.code is Code.USAGE
