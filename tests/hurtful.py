"""Texts that hurt programs: what a stranger may send, and no window or terminal may stumble over."""

from __future__ import annotations

from coterie.base.limits import TEXT_BYTES
from coterie.screens.emoji_sequences import emoji_list


def all_emoji() -> str:
    """Every sequence of our list."""
    return "".join(emoji_list().cells)


TEXTS = {
    "NUL": "before\x00after",
    "controls": "".join(map(chr, range(1, 32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "terminal escapes": "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b2J",
    "overrides": "\u202egnp.exe\u202d\u2066x\u2069\u202a\u202b\u202c",
    "zero width": "z\u200be\u200cr\u200do\ufeff\u2060\u00ad\u180e",
    "separators": "one\u2028two\u2029three\x0bfour\x0cfive\x85six\r\nseven\rleft",
    "tags and selectors": "a\U000e0061\U000e007f\ufe0f\ufe00\U000e0100",
    "stacked marks": "z" + "\u0300\u0489\u20dd" * 2000,
    "marks alone": "\u0301" * 300,
    "joiners": "\u200d" * 300,
    "noncharacters": "\ufffe\uffff\U0001fffe\U0010ffff\ue000\U000f0000",
    "unassigned": "\u0378\U000e1000\U0003ffff",
    "both directions": "abc \u05e9\u05dc\u05d5\u05dd 123 \u0645\u0631\u062d\u0628\u0627 xyz " * 40,
    "one word": "x" * TEXT_BYTES,
    "one word of wide letters": "\u6f22" * (TEXT_BYTES // 3),
    "lines alone": "\n" * 5000,
    "all emoji": all_emoji()[: TEXT_BYTES // 8],
    "families": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 200,
    "flags cut apart": "\U0001f1e9" * 301,
    "Tcl": '[exit] $x {unbalanced "quotes\\ ; \\u0041 %s {} [format %c 0]',
    "markup": "```\n`@bob <b>&amp; https://\u0430pple.com@evil.example/\u202e",
}
"""By what is wrong with each; every one is valid Unicode of at most 64 KiB."""
