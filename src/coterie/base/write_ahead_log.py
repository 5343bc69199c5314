"""How much of SQLite's write-ahead log was on the disk for certain (sqlite.org/fileformat2.html, 4.1).

SQLite reads the log up to the first frame that is not whole and silently leaves out the rest. After a power
cut that is the commit under way; where the disk has spoiled the log it is also what was acknowledged. Every
commit is synced before the next one is written here, so one that has frames behind it was on the disk whole.
"""

from __future__ import annotations

from typing import BinaryIO

MAGIC = (0x377F0682, 0x377F0683)
HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
_PAGES = (512, 65536)
_SALTS = slice(16, 24)
_SALTS_OF_FRAME = slice(8, 16)


def synced_frames(log: BinaryIO) -> int:
    """How many frames SQLite must find in this log: all up to the last commit that has others behind it.

    0 for what is no log. Whatever the bytes are, nothing is raised but what reading raises.
    """
    header = log.read(HEADER_BYTES)
    page_bytes = int.from_bytes(header[8:12], "big")
    sound = _PAGES[0] <= page_bytes <= _PAGES[1] and page_bytes & (page_bytes - 1) == 0
    if len(header) < HEADER_BYTES or int.from_bytes(header[:4], "big") not in MAGIC or not sound:
        return 0
    number = committed = synced = 0
    while len(frame := log.read(FRAME_HEADER_BYTES)) == FRAME_HEADER_BYTES:
        number += 1
        if frame[_SALTS_OF_FRAME] == header[_SALTS]:
            synced = committed
            if int.from_bytes(frame[4:8], "big"):
                committed = number
        log.seek(page_bytes, 1)
    return synced
