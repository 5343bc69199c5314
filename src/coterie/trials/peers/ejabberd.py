"""ejabberd: XMPP in Erlang, with an archive in PostgreSQL or without any."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.trials.engines import postgres
from coterie.trials.peers import databases, programs
from coterie.trials.peers.contest import Peer, Targets
from coterie.trials.peers.stanzas import DOMAIN, ROOMS
from coterie.trials.peers.xmpp import People

ARCHIVING = Peer(
    name="ejabberd",
    title="ejabberd archiving to PostgreSQL",
    targets=Targets(direct=1 / 8, room=1 / 3, open_p50=1 / 2),
    share=0.5,
)
BARE = Peer(
    name="ejabberd_bare",
    title="ejabberd without an archive",
    targets=Targets(direct=1.0, room=1 / 2),
)
OWN_USER = "ejabberd"
"""As whom its own script insists to run, where a package has made that user."""
SCHEMAS = (
    ("/usr/share/ejabberd/sql", "pg.sql"),
    ("/usr/lib", "*/ejabberd-*/priv/sql/pg.sql"),
    ("/opt", "ejabberd*/lib/ejabberd-*/priv/sql/pg.sql"),
)


class Ejabberd(People):
    """A running one; its database is part of it."""

    def __init__(self, program: programs.Program, port: int, engine: postgres.Engine | None) -> None:
        super().__init__(port)
        self._program = program
        self._engine = engine

    def cpu_seconds(self) -> float:
        database = programs.cpu_seconds_of_tree(self._engine.pid) if self._engine else 0.0
        return self._program.cpu_seconds() + database


@asynccontextmanager
async def archiving() -> AsyncIterator[tuple[Ejabberd, str]]:
    """One of its own with its database, and their versions. Raises Unavailable where there is none."""
    programs.find("ejabberdctl")
    schema = _schema()
    async with databases.running() as engine:
        await asyncio.to_thread(engine.psql, schema)
        async with _running(engine) as (ejabberd, version):
            yield ejabberd, f"{version}, {await databases.version(engine)}"


@asynccontextmanager
async def bare() -> AsyncIterator[tuple[Ejabberd, str]]:
    """The same without archive and database."""
    async with _running(None) as running:
        yield running


@asynccontextmanager
async def _running(engine: postgres.Engine | None) -> AsyncIterator[tuple[Ejabberd, str]]:
    script = programs.find("ejabberdctl")
    user = programs.who(OWN_USER)
    with ExitStack() as stack:
        folder = stack.enter_context(programs.home(user))
        port = programs.free_port()
        (folder / "ejabberd.yml").write_text(_configuration(folder, port, engine))
        (folder / "ejabberdctl.cfg").write_text(
            f"ERL_DIST_PORT={programs.free_port()}\nERLANG_NODE=trial@localhost\n"
            "ERL_OPTIONS='-kernel inet_dist_use_interface {127,0,0,1} -env ERL_CRASH_DUMP_BYTES 0'\n"
        )
        programs.hand_over(folder, user)
        places = ("--config-dir", folder, "--logs", folder, "--spool", folder / "spool")
        command = (script, *places, "--ctl-config", folder / "ejabberdctl.cfg", "foreground")
        program = stack.enter_context(programs.started(command, folder, user, through_shell=True))
        await program.await_port(port)
        ejabberd = Ejabberd(program, port, engine)
        yield ejabberd, await ejabberd.version()


def _configuration(folder: Path, port: int, engine: postgres.Engine | None) -> str:
    archive = engine is not None
    lines = [
        f"hosts: [{DOMAIN}]",
        "loglevel: warning",
        f"certfiles: ['{programs.certificate(folder)}']",
        "listen:",
        f"  - {{port: {port}, ip: '127.0.0.1', module: ejabberd_c2s, tls: true, max_stanza_size: 262144}}",
        "registration_timeout: infinity",
        "access_rules: {everybody: {allow: all}}",
        *(databases.of_ejabberd(engine) if engine else ()),
        "modules:",
        "  mod_register: {ip_access: everybody, access: everybody}",
        "  mod_roster: {}",
        "  mod_offline: {}",
        "  mod_disco: {}",
        "  mod_version: {show_os: false}",
        f"  mod_muc: {{host: '{ROOMS}', access: everybody, access_create: everybody,",
        f"    default_room_options: {{mam: {str(archive).lower()}}}}}",
        *(("  mod_mam: {db_type: sql, default: always}",) if archive else ()),
    ]
    return "\n".join([*lines, ""])


def _schema() -> str:
    """Of its tables, as it brings it along. Raises Unavailable(missing-part)."""
    for place, pattern in SCHEMAS:
        for found in sorted(Path(place).glob(pattern)):
            return found.read_text()
    raise Unavailable(Code.MISSING_PART, "ejabberd's pg.sql is not where it is looked for")
