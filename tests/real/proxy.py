"""A TCP proxy on loopback that records every byte in both directions, and can lose an answer.

Runs in threads of its own, so that real processes can go through it while the test waits for them.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 1 << 16


class Proxy:
    """Between clients and one port of this machine. port: where clients connect."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        """May be changed: another server then answers under the same address."""
        self.recorded = bytearray()
        self.connections = 0
        self.lost_answers = 0
        self.lost = threading.Event()
        self._lose_after_bytes: int | None = None
        self._then_port: int | None = None
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def lose_answer_after(self, sent_bytes: int, *, then_port: int | None = None) -> None:
        """On the next connection: once the client has sent that much, the server's answer is lost, and the
        connection with it. then_port: where later connections go, 0 for nowhere."""
        self._lose_after_bytes = sent_bytes
        self._then_port = then_port

    def lose(self) -> None:
        """An answer is lost now."""
        if self._then_port is not None:
            self.target_port = self._then_port
        self.lost_answers += 1
        self.lost.set()

    def serve(self) -> None:
        """Until close()."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self.connections += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            client.close()
            return
        with self._lock:
            self._sockets += (client, server)
            lose_after, self._lose_after_bytes = self._lose_after_bytes, None
        pair = _Pair(self, client, server, lose_after)
        threading.Thread(target=pair.carry_down, daemon=True).start()
        pair.carry_up()

    def record(self, data: bytes) -> None:
        with self._lock:
            self.recorded += data

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            hang_up(each)
            each.close()


class _Pair:
    """One connection of a client and its continuation to the server."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, lose_after_bytes: int | None
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._lose_after_bytes = lose_after_bytes
        self._sent_bytes = 0

    def carry_up(self) -> None:
        """From the client to the server."""
        for data in _chunks(self._client):
            self._sent_bytes += len(data)
            self._proxy.record(data)
            with suppress(OSError):
                self._server.sendall(data)
        hang_up(self._server)

    def carry_down(self) -> None:
        """From the server to the client."""
        for data in _chunks(self._server):
            if self._lose_after_bytes is not None and self._sent_bytes >= self._lose_after_bytes:
                self._proxy.lose()
                break
            self._proxy.record(data)
            with suppress(OSError):
                self._client.sendall(data)
        hang_up(self._server)
        hang_up(self._client)


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    with suppress(OSError):
        while data := connection.recv(CHUNK_BYTES):
            yield data


def hang_up(connection: socket.socket) -> None:
    """Both ends notice; the thread that reads it ends."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy until the end of the block."""
    proxy = Proxy(port)
    serving = threading.Thread(target=proxy.serve, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        proxy.close()
        serving.join()
