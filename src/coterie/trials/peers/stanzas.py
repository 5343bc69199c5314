"""XMPP: the stanzas that a trial says, and what comes cut into stanzas. Nothing in them is looked up by name:
a trial counts messages, and knows what it asked for."""

from __future__ import annotations

import base64
import re

from coterie.base.codes import Code
from coterie.base.errors import RemoteError

LONGEST = 1 << 20
"""Of a stanza that a trial takes."""
DOMAIN = "localhost"
ROOMS = "rooms.localhost"
_TAG = re.compile(rb"<(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+>")
_HEAD = re.compile(rb"<\?xml|<stream:stream\s")
_ERROR = re.compile(rb"<\w+\s[^>]*?\btype=[\"']error[\"']")


def stream() -> bytes:
    return (
        f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
        f"xmlns:stream='http://etherx.jabber.org/streams'>"
    ).encode()


def register(name: str, password: str) -> bytes:
    """A new account, in the stream (XEP-0077)."""
    return (
        f"<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>{name}</username>"
        f"<password>{password}</password></query></iq>"
    ).encode()


def plain(name: str, password: str) -> bytes:
    """SASL PLAIN; it is inside TLS."""
    words = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    return f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{words}</auth>".encode()


BIND = (
    b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<resource>trial</resource></bind></iq>"
)
PRESENCE = b"<presence/>"
VERSION = f"<iq type='get' id='version' to='{DOMAIN}'><query xmlns='jabber:iq:version'/></iq>".encode()


def join(room: str, nick: str) -> bytes:
    """Into a room, without what was said there before (XEP-0045)."""
    return (
        f"<presence to='{room}@{ROOMS}/{nick}'><x xmlns='http://jabber.org/protocol/muc'>"
        f"<history maxstanzas='0'/></x></presence>"
    ).encode()


def message(kind: str, to: str, number: int, body: str) -> bytes:
    """kind: chat, or groupchat to a room. body: without anything that XML would take for its own."""
    return f"<message type='{kind}' to='{to}' id='m{number}'><body>{body}</body></message>".encode()


def is_error(stanza: bytes) -> bool:
    """Whether it says that something did not go, in its first tag or as SASL does."""
    return _ERROR.match(stanza) is not None or stanza.startswith((b"<failure", b"<stream:error"))


def said_by(sender: str) -> re.Pattern[bytes]:
    """Matches a stanza whose first tag names that sender."""
    return re.compile(rb"<\w+\s[^>]*?\bfrom=[\"']" + re.escape(sender.encode()) + rb"[\"']")


class Stanzas:
    """Cuts a stream into stanzas: what stands one below its first element."""

    def __init__(self) -> None:
        self._rest = b""
        self._depth = 0
        self._looked_at = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Those that are whole now. Raises RemoteError for what cannot be a stream."""
        came = self._rest + data
        whole: list[bytes] = []
        start, after = 0, self._looked_at
        for tag in _TAG.finditer(came, after):
            if b"<" in came[after : tag.start()]:
                raise RemoteError(Code.BAD_FRAME, "a tag of XMPP that is none")
            after = tag.end()
            if self._depth <= 1:
                _between(came[start : tag.start()])
                start = tag.start()
            head = self._pass(tag.group())
            if self._depth <= 1:
                if not head:
                    whole.append(came[start:after])
                start = after
        self._rest, self._looked_at = came[start:], after - start
        if len(self._rest) > LONGEST:
            raise RemoteError(Code.TOO_LARGE, "a stanza is longer than any that was sent")
        return whole

    def _pass(self, tag: bytes) -> bool:
        """Goes down, up or on; says whether it was of the stream itself and no stanza's."""
        if tag.startswith(b"<!") or (self._depth == 0 and not _HEAD.match(tag)):
            raise RemoteError(Code.BAD_FRAME, "what came is no stream of XMPP")
        if tag.startswith(b"<?"):
            return True
        head = self._depth == 0
        if tag.startswith(b"</"):
            self._depth -= 1
        elif not tag.endswith(b"/>"):
            self._depth += 1
        return head or self._depth == 0


def _between(text: bytes) -> None:
    if text.strip():
        raise RemoteError(Code.BAD_FRAME, "words between two stanzas of XMPP")
