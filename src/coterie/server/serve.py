"""One server, from its data folder to its last goodbye."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from coterie.base import limits
from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.invite import Invite
from coterie.base.signing import require_primitives
from coterie.server.blobs.channel import opened_channel
from coterie.server.blobs.opening import open_blobs
from coterie.server.blobs.protocol import BlobStore
from coterie.server.certificate import ensure_certificate, tls_context, tls_key
from coterie.server.folder import DataFolder
from coterie.server.founding import invite_of
from coterie.server.gateway import listen, quiet_strangers
from coterie.server.gauges import process_gauges
from coterie.server.lookout import Lookout
from coterie.server.metrics import Metrics
from coterie.server.policy import is_loopback
from coterie.server.sequencer import Sequencer
from coterie.server.settings import ReadyLine, ServerSettings
from coterie.server.standing import beside_others, ensure_shared_certificate, open_with_certificate
from coterie.server.store.opening import open_store
from coterie.server.store.protocol import Store
from coterie.server.turns import Turns

log = logging.getLogger("coterie.server")

Listening = TypeVar("Listening")

_ANY_HOSTS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
FIRST_PAUSE_SECONDS = 0.25
LAST_PAUSE_SECONDS = 15.0
OTHER_FILES = 2000
"""Connections that have not come as far as the upgrade, the database, the log."""
_DOCUMENTATION_ADDRESS = "192.0.2.1"
"""RFC 5737: routed nowhere; asking for the way there tells this machine's own address."""


def run(settings: ServerSettings, ready: Callable[[ReadyLine], None], *, clock: Clock | None = None) -> None:
    """serve() on the fastest loop there is. Returns after SIGTERM or SIGINT."""
    factory = None
    if sys.platform != "win32":
        import uvloop

        _allow_many_files()
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(settings, ready, clock=clock))


async def serve(
    settings: ServerSettings, ready: Callable[[ReadyLine], None], *, clock: Clock | None = None
) -> None:
    """Serve until SIGTERM, SIGINT or cancellation; ready is called once connections are accepted.

    Raises Unavailable (data folder in use or unusable, database damaged, newer schema, address in use, part
    missing), Refused(usage) for a certificate that cannot be used. SIGKILL loses nothing that was
    acknowledged.
    """
    require_primitives()
    if (settings.cert is None) != (settings.key is None):
        raise Refused(Code.USAGE, "certificate and key go together")
    folder = DataFolder.open(settings.data) if not settings.worker else DataFolder.of_parent(settings.data)
    try:
        if settings.cert is None and not settings.database:
            ensure_certificate(folder.certificate)
        store = await open_store(folder.database, settings.database, alone=False)
        try:
            if settings.cert is None and settings.database:
                await ensure_shared_certificate(store, folder.certificate)
            blobs = open_blobs(folder.blobs, settings.blobs, settings.worker)
            life = _Life(settings, folder, store, blobs, ready, clock or SystemClock())
            try:
                while await life.serve_or_wait():
                    await _until_back(store)
            finally:
                await blobs.close()
        finally:
            await store.close()
    finally:
        folder.close()


async def _until_back(store: Store) -> None:
    """A database that was lost is asked for with growing pauses; a new life does not begin without it. Raises
    Unavailable where it has another server now."""
    clock, pause_seconds = SystemClock(), FIRST_PAUSE_SECONDS
    while True:
        try:
            await store.commit(())
            await store.ledger_size()
        except Unavailable as error:
            if error.code is not Code.DISK:
                raise
            log.warning("waiting for the database: %s", error.note)
        else:
            return
        await clock.wait_until(clock.monotonic_seconds() + pause_seconds)
        pause_seconds = min(2 * pause_seconds, LAST_PAUSE_SECONDS)


class _Life:
    """One life of the data after the other: nearly always there is one alone."""

    def __init__(
        self,
        settings: ServerSettings,
        folder: DataFolder,
        store: Store,
        blobs: BlobStore,
        ready: Callable[[ReadyLine], None],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._certificate = settings.cert or folder.certificate
        self._store = store
        self._blobs = blobs
        self._ready: Callable[[ReadyLine], None] | None = ready
        self._clock = clock
        self._port = settings.port
        self._metrics_port = settings.metrics_port
        self._folder = folder
        self._started_ms = clock.wall_ms()

    async def serve_or_wait(self) -> bool:
        """serve(). True also where a PostgreSQL was lost again while a further life began."""
        try:
            return await self.serve()
        except Unavailable as error:
            if self._ready is not None or not self._settings.database or error.code is not Code.DISK:
                raise
            log.warning("the database was lost once more: %s", error.note)
        clock = SystemClock()
        await clock.wait_until(clock.monotonic_seconds() + FIRST_PAUSE_SECONDS)
        return True

    async def serve(self) -> bool:
        """Until it is told to stop; True where all that is remembered of the database has to be
        read anew: it turned out to be a copy, or was lost for a moment."""
        settings, store, clock = self._settings, self._store, self._clock
        context = tls_context(self._certificate, settings.key)
        open_signup = is_loopback(settings.host) if settings.open_signup is None else settings.open_signup
        key = tls_key(self._certificate)
        realm = await open_with_certificate(store, key, open_signup, clock.wall_ms())
        realm.kept_longer_ms = settings.kept_longer_ms
        sequencer = await Sequencer.load(store, realm)
        metrics = Metrics()
        quiet_strangers(asyncio.get_running_loop())
        turns = Turns(store, realm, sequencer, metrics, clock, beside_others(store, settings, clock))
        await turns.prepare()
        await store.beside()
        metrics.ask(lambda: process_gauges(self._folder.path, self._folder.database, self._started_ms))
        lookout = Lookout(metrics, turns.readiness.why_not)
        try:
            if self._metrics_port is not None:
                self._metrics_port = await _bound(lookout.listen(settings.metrics_host, self._metrics_port))
            shares = settings.worker > 0
            async with opened_channel(store, realm, self._blobs, clock, turns.lost, metrics) as channel:
                listening = listen(turns, channel, settings.host, self._port, context, shares_port=shares)
                door = await _bound(listening)
                self._port = door.port
                invite = await invite_of(store, realm, _reachable(settings.host), self._port, clock.wall_ms())
                with _until_told(turns, settings.worker):
                    self._tell_ready(invite, open_signup=open_signup)
                    try:
                        await turns.run()
                    finally:
                        await door.close()
        finally:
            lookout.close()
        log.info("stopped")
        return turns.begins_anew

    def _tell_ready(self, invite: Invite, *, open_signup: bool) -> None:
        log.info("serving on port %d, sign-up %s", self._port, "open" if open_signup else "by invite")
        ready, self._ready = self._ready, None
        if ready is not None:
            place = Invite(self._settings.host, self._port).place
            port, metrics = self._metrics_port, ""
            if port is not None:
                metrics = Invite(self._settings.metrics_host, port).place
            ready(ReadyLine(place, invite.link, metrics))


def _allow_many_files() -> None:
    """Each connection is an open file, and many systems give a program 1024 unless it asks for more."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS_MAX + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _until_told(turns: Turns, worker: int) -> Iterator[None]:
    """SIGTERM and SIGINT stop the turns, where this is the thread that gets signals; so does the end of the
    process that started a worker."""
    loop = asyncio.get_running_loop()
    here = threading.current_thread() is threading.main_thread() and sys.platform != "win32"
    signals = (signal.SIGTERM, signal.SIGINT) if here else ()
    for number in signals:
        loop.add_signal_handler(number, turns.stop)

    def heard() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            turns.stop()

    if worker:
        loop.add_reader(sys.stdin.fileno(), heard)
    try:
        yield
    finally:
        if worker:
            loop.remove_reader(sys.stdin.fileno())
        for number in signals:
            loop.remove_signal_handler(number)


async def _bound(listening: Awaitable[Listening]) -> Listening:
    try:
        return await listening
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, "unknown error")
        raise Unavailable(Code.UNREACHABLE, f"the address to listen on cannot be had ({reason})") from error


def _reachable(host: str) -> str:
    """What others can connect to: this machine's address on its network, where the server listens on all."""
    if host not in _ANY_HOSTS:
        return host
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((_DOCUMENTATION_ADDRESS, 9))
            return str(way.getsockname()[0])
    except OSError:
        return "127.0.0.1"
