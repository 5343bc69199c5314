"""What the commands take that are about other people."""

from __future__ import annotations

from coterie.cli.parser import Parser


def verify(parser: Parser) -> None:
    parser.epilog = (
        "Without an option: both of you run this at the same time, compare the seven emoji on your\n"
        "screens, by telephone or side by side, and type yes or no. Exit code 4 where they differ, and\n"
        "where a number or a code is not what this server says."
    )
    parser.add_argument("target", metavar="@NAME", help="whom")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--safety-number", action="store_true", help="print the number that both of you see, and a QR code"
    )
    ways.add_argument(
        "--qr-text", metavar="TEXT", help="what their QR code says, or their number: verified if it matches"
    )
    ways.add_argument("--qr-file", metavar="FILE", help="the same out of a file; - is standard input")
    ways.add_argument(
        "--numbers-match", action="store_true", help="you have compared the numbers yourselves: verified"
    )
    ways.add_argument("--forget", action="store_true", help="they are not to count as verified any more")
    ways.add_argument(
        "--accept-new", action="store_true", help="go on with another identity than they had before"
    )
    ways.add_argument(
        "--send-queued", action="store_true", help="send what waits for the identity they had before"
    )
    ways.add_argument("--drop-queued", action="store_true", help="never send it")
    ways.add_argument(
        "--confirm-device",
        nargs="?",
        const="",
        metavar="ID",
        help="their devices that came by passphrase or recovery key; with ID: it is theirs, they told me",
    )
