"""What the people of a trial say: many scripts, any size. The same wish always gives the same text."""

from __future__ import annotations

import hashlib

import msgspec

DIGEST_BYTES = 16

PHRASES = (
    "See you at seven, the door is open. ",
    "Größe, Straße, Übermut – und dazu Fußnoten. ",
    "Où est passée la clé de la remise ? ",
    "Встречаемся завтра у старого моста. ",
    "Η πόρτα είναι ανοιχτή από τις οκτώ. ",
    "نلتقي غدا عند الباب القديم. ",
    "ניפגש מחר ליד הגשר הישן. ",
    "कल पुराने पुल के पास मिलते हैं। ",
    "明天在老桥边见面,别忘了带伞。",
    "あしたは古い橋のそばで会いましょう。",
    "내일 오래된 다리 옆에서 만나요. ",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \N{RIGHT-TO-LEFT MARK} \t\n",
)
"""One per language; a text in it repeats its phrase."""


class TextWish(msgspec.Struct, frozen=True, array_like=True):
    """number: so that no two texts are alike. size_bytes: at most, unless the number alone is longer."""

    number: int
    language: int
    size_bytes: int


def text_of(wish: TextWish) -> str:
    """The text; its UTF-8 is about size_bytes long, never longer unless its number alone is."""
    phrase = PHRASES[wish.language % len(PHRASES)]
    head = f"{wish.number}. "
    left = max(0, wish.size_bytes - len(head))
    repeated = phrase * (left // len(phrase.encode()) + 1)
    return head + repeated.encode()[:left].decode(errors="ignore")


def text_digest(text: str) -> bytes:
    """What the ledger of talk compares instead of texts: 16 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES]
