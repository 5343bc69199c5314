"""ProveDevice -> Ready: a device signs in, and is neither a copy nor restored (encryption rules 7 and 28)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.ids import DeviceId
from coterie.server.caller import Caller, Rival, SignedIn
from coterie.server.commands.outcome import AskRival, DeviceSignedIn, Outcome, refusal
from coterie.server.device_proofs import is_signed, shut_out
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.server.store.records import PutRun
from coterie.wire.frames import ProveDevice, Ready

STREAMS_MAX = 20_000
"""Named in Ready, which has to fit into a frame: what has something new comes first."""


async def handle(frame: ProveDevice, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    device = DeviceId(frame.device)
    row = await reads.device(device)
    if row is None or row.account != frame.account:
        return refusal(frame.request, Code.UNKNOWN_DEVICE)
    if not is_signed(frame, Domain.PROVE_DEVICE, who, realm, row):
        return refusal(frame.request, Code.WRONG_CREDENTIALS)
    shut = shut_out(row, now.wall_ms)
    if shut is not None:
        return refusal(frame.request, *shut)
    if frame.run < row.run:
        return refusal(frame.request, Code.RESTORED_PROFILE)
    reconnect = frame.run == row.run and frame.run_nonce == row.run_nonce
    if not reconnect:
        if who.rival is Rival.CONNECTED:
            return Outcome(frame.request, push=(AskRival(),))
        if who.rival is Rival.ANSWERED:
            return refusal(frame.request, Code.COPIED_PROFILE)
        if frame.run == row.run:
            return refusal(frame.request, Code.RESTORED_PROFILE)
    ready = Ready(
        frame.request,
        await reads.stream_ends(device, STREAMS_MAX, now.wall_ms),
        realm.ledger.size,
        realm.ledger.head,
        await reads.one_time_keys_left(device, now.wall_ms),
    )
    signed_in = DeviceSignedIn(SignedIn(row.account, row.device, row.name, row.succeeded))
    save = None if reconnect else PutRun(device, frame.run, frame.run_nonce)
    return Outcome(frame.request, save=save, reply=(ready,), push=(signed_in,))
