"""The least that a server for durable messages could do, as a floor to measure the real one against.

`python -m coterie.trials.floor FOLDER`: picows over TLS, and apsw with synchronous=FULL. Each message that
comes is stored as it is; at the end of the turn of the loop they are committed together, and then each sender
gets an answer and each other listener of the same room the message. No accounts, no frames, no rules: nothing
is decoded. The path names the room: /ROOM/say speaks (and gets answers), /ROOM/hear listens, both hear acks
in silence.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import apsw
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from coterie.server.certificate import ensure_certificate, tls_context

ANSWER = b"\0\0\0\x2f\x95\x20\x01\x01\xcf" + bytes(8) + b"\xc4\x20" + bytes(32)
"""As long as Accepted with time and MAC, which stands for the message: who spoke is not sent it."""
ACK_BYTES = 200
"""Listeners' acknowledgements are shorter than any message; both only arrive."""
PRAGMAS = ("journal_mode = wal", "synchronous = full", "cache_size = -65536", "wal_autocheckpoint = 4000")


class Floor:
    """All rooms, and what came in this turn."""

    def __init__(self, folder: Path) -> None:
        self.rooms: dict[str, list[WSTransport]] = {}
        self._lane: list[tuple[str, WSTransport, bytes]] = []
        self._database = apsw.Connection(str(folder / "floor.db"))
        for pragma in PRAGMAS:
            list(self._database.execute(f"PRAGMA {pragma}"))
        self._database.execute("CREATE TABLE message (no INTEGER PRIMARY KEY, room TEXT, bytes BLOB)")

    def came(self, room: str, transport: WSTransport, message: bytes) -> None:
        if not self._lane:
            asyncio.get_running_loop().call_soon(self._turn)
        self._lane.append((room, transport, message))

    def _turn(self) -> None:
        lane, self._lane = self._lane, []
        self._database.execute("BEGIN IMMEDIATE")
        for room, _, message in lane:
            self._database.execute("INSERT INTO message (room, bytes) VALUES (?, ?)", (room, message))
        self._database.execute("COMMIT")
        out: dict[WSTransport, list[bytes]] = {}
        for room, transport, message in lane:
            out.setdefault(transport, []).append(ANSWER)
            for listener in self.rooms.get(room, ()):
                if listener is transport:
                    continue
                out.setdefault(listener, []).append(message)
        for transport, messages in out.items():
            transport.send(WSMsgType.BINARY, b"".join(messages))


class _Listener(WSListener):
    def __init__(self, floor: Floor, path: str) -> None:
        self._floor = floor
        _, self._room, self._role = path.split("/")

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self._role == "hear":
            self._floor.rooms.setdefault(self._room, []).append(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            message = frame.get_payload_as_bytes()
            if len(message) > ACK_BYTES:
                self._floor.came(self._room, transport, message)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._role == "hear":
            self._floor.rooms[self._room].remove(transport)


async def serve(folder: Path) -> None:
    """Until it is ended from outside; says its port first."""
    certificate = folder / "floor.pem"
    ensure_certificate(certificate)
    floor = Floor(folder)

    def listener(request: WSUpgradeRequest) -> WSListener:
        return _Listener(floor, request.path.decode())

    server = await ws_create_server(listener, "127.0.0.1", 0, ssl=tls_context(certificate, None), backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
