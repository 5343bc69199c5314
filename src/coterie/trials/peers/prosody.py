"""Prosody: XMPP in Lua, archiving to files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from coterie.trials.peers import programs
from coterie.trials.peers.contest import Peer, Targets
from coterie.trials.peers.stanzas import DOMAIN, ROOMS
from coterie.trials.peers.xmpp import People

PEER = Peer(
    name="prosody",
    title="Prosody archiving to files",
    targets=Targets(direct=1 / 12, room=1 / 10),
    share=0.25,
)
MODULES = (
    "roster",
    "saslauth",
    "disco",
    "version",
    "register",
    "presence",
    "message",
    "iq",
    "offline",
    "mam",
)


class Prosody(People):
    """A running one."""

    def __init__(self, program: programs.Program, port: int) -> None:
        super().__init__(port)
        self._program = program

    def cpu_seconds(self) -> float:
        return self._program.cpu_seconds()


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Prosody, str]]:
    """One of its own, and its version. Raises Unavailable where there is none."""
    binary = programs.find("prosody")
    user = programs.who()
    with ExitStack() as stack:
        folder = stack.enter_context(programs.home(user))
        port = programs.free_port()
        (folder / "data").mkdir()
        (folder / "prosody.cfg.lua").write_text(_configuration(folder, port))
        programs.hand_over(folder, user)
        command = (binary, "--config", folder / "prosody.cfg.lua", "-F")
        program = stack.enter_context(programs.started(command, folder, user))
        await program.await_port(port)
        prosody = Prosody(program, port)
        yield prosody, await prosody.version()


def _configuration(folder: Path, port: int) -> str:
    own = programs.certificate(folder)
    modules = ", ".join(f'"{module}"' for module in MODULES)
    lines = [
        f'data_path = "{folder}/data"',
        f'pidfile = "{folder}/prosody.pid"',
        f"modules_enabled = {{ {modules} }}",
        'modules_disabled = { "s2s" }',
        "allow_registration = true",
        "c2s_require_encryption = true",
        'interfaces = { "127.0.0.1" }',
        "c2s_ports = {}",
        "s2s_ports = {}",
        f"c2s_direct_tls_ports = {{ {port} }}",
        f'ssl = {{ key = "{own}", certificate = "{own}", protocol = "tlsv1_3" }}',
        f'c2s_direct_tls_ssl = {{ key = "{own}", certificate = "{own}", protocol = "tlsv1_3" }}',
        'authentication = "internal_hashed"',
        'storage = "internal"',
        "default_archive_policy = true",
        'log = { warn = "*console" }',
        f'VirtualHost "{DOMAIN}"',
        f'Component "{ROOMS}" "muc"',
        'modules_enabled = { "muc_mam" }',
        "muc_log_by_default = true",
        "muc_room_locking = false",
        'storage = { muc_log = "internal" }',
    ]
    return "\n".join([*lines, ""])
