"""Which command answers which frame."""

from __future__ import annotations

from typing import assert_never

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.server.caller import Caller, SignedIn
from coterie.server.commands import (
    accept,
    add_device,
    ask_approval,
    claim,
    delete_account,
    envelopes,
    fetch_accounts,
    fetch_leaves,
    fetch_vault,
    hello,
    login_prove,
    login_start,
    offer_manifests,
    offer_vault,
    ping,
    prove_device,
    publish_manifest,
    publish_prekeys,
    send,
    show_head,
    sign_up,
    succeed,
    sync,
    watch_approvals,
)
from coterie.server.commands.outcome import HandOnApproval, KeepHealth, Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import (
    Accept,
    AddDevice,
    AskApproval,
    Claim,
    DeleteAccount,
    EndApproval,
    Envelopes,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Hello,
    LoginProve,
    LoginStart,
    OfferManifests,
    OfferVault,
    Ping,
    ProveDevice,
    PublishManifest,
    PublishPrekeys,
    RelayApproval,
    Send,
    ShowHead,
    SignUp,
    Succeed,
    Sync,
    TellHealth,
    WatchApprovals,
)

READS_NOTHING = (
    Send,
    Envelopes,
    Ping,
    Claim,
    Accept,
    Sync,
    Hello,
    RelayApproval,
    EndApproval,
    WatchApprovals,
    TellHealth,
)
"""Frames whose command does not look at what frames before them may have left to be committed."""

ReadsNothing = (
    Send
    | Envelopes
    | Ping
    | Claim
    | Accept
    | Sync
    | Hello
    | RelayApproval
    | EndApproval
    | WatchApprovals
    | TellHealth
)
Asks = (
    FetchAccounts
    | FetchLeaves
    | FetchVault
    | PublishPrekeys
    | PublishManifest
    | DeleteAccount
    | Succeed
    | ProveDevice
    | SignUp
    | LoginStart
    | LoginProve
    | AddDevice
    | AskApproval
    | OfferManifests
    | OfferVault
    | ShowHead
)
OF_AN_ACCOUNT = (
    Send,
    Envelopes,
    Claim,
    Accept,
    WatchApprovals,
    FetchVault,
    PublishPrekeys,
    PublishManifest,
    DeleteAccount,
    Succeed,
)
"""What no device of an account may say any more that goes on under another identity."""


def decide(  # noqa: C901 - one case for each frame
    frame: ReadsNothing, who: Caller, realm: Realm, now: Now
) -> Outcome:
    """What needs no database. Raises RemoteError for a frame that this caller may not send."""
    if type(frame) is Send and who.signed_in is not None and not who.signed_in.succeeded:
        return send.handle(frame, who, who.signed_in, realm, now)
    late = too_late(frame, who)
    if late is not None:
        return late
    match frame:
        case Send():
            return send.handle(frame, who, _signed_in(who), realm, now)
        case Envelopes():
            return envelopes.handle(frame, _signed_in(who), realm, now)
        case Ping():
            return ping.handle(frame, who, realm)
        case Claim():
            return claim.handle(frame, _signed_in(who), realm, now)
        case Accept():
            return accept.handle(frame, _signed_in(who))
        case Sync():
            return sync.handle(frame)
        case Hello():
            return hello.handle(frame, who, realm)
        case RelayApproval() | EndApproval():
            return Outcome(0, push=(HandOnApproval(frame),))
        case WatchApprovals():
            return watch_approvals.handle(frame, _signed_in(who), realm, now)
        case TellHealth():
            return Outcome(0, push=(KeepHealth(frame),))
        case _:
            assert_never(frame)


async def handle(  # noqa: C901 - one case for each frame
    frame: Asks, who: Caller, reads: Reads, realm: Realm, now: Now
) -> Outcome:
    """What asks the database. Raises RemoteError for a frame that this caller may not send."""
    match frame:
        case FetchAccounts():
            return await fetch_accounts.handle(frame, _signed_in(who), reads, realm, now)
        case FetchLeaves():
            return await fetch_leaves.handle(frame, who, reads, realm, now)
        case FetchVault():
            return await fetch_vault.handle(frame, _signed_in(who), reads, realm, now)
        case PublishPrekeys():
            return await publish_prekeys.handle(frame, _signed_in(who), reads, realm, now)
        case PublishManifest() | DeleteAccount() | Succeed():
            return await _changed(frame, _signed_in(who), reads, realm, now)
        case ProveDevice():
            return await prove_device.handle(frame, who, reads, realm, now)
        case SignUp():
            return await sign_up.handle(frame, who, reads, realm, now)
        case LoginStart():
            return await login_start.handle(frame, reads, realm)
        case LoginProve():
            return await login_prove.handle(frame, who, reads, realm, now)
        case AskApproval():
            return await ask_approval.handle(frame, who, realm, now)
        case AddDevice():
            return await add_device.handle(frame, who, reads, realm, now)
        case OfferManifests():
            return await offer_manifests.handle(frame, who, reads, realm, now)
        case OfferVault():
            return await offer_vault.handle(frame, _signed_in(who), reads, realm, now)
        case ShowHead():
            return await show_head.handle(frame, who, reads, realm, now)
        case _:
            assert_never(frame)


async def _changed(
    frame: PublishManifest | DeleteAccount | Succeed, who: SignedIn, reads: Reads, realm: Realm, now: Now
) -> Outcome:
    """What changes or ends the caller's account."""
    match frame:
        case PublishManifest():
            return await publish_manifest.handle(frame, who, reads, realm, now)
        case DeleteAccount():
            return await delete_account.handle(frame, who, reads, realm, now)
        case Succeed():
            return await succeed.handle(frame, who, reads, realm, now)
        case _:
            assert_never(frame)


def too_late(frame: ReadsNothing | Asks, who: Caller) -> Outcome | None:
    """The answer to a device whose account goes on under another identity; None where the frame may be
    handled. What waits for such a device it may fetch."""
    if who.signed_in is None or not who.signed_in.succeeded or not isinstance(frame, OF_AN_ACCOUNT):
        return None
    return refusal(frame.request, Code.SUCCEEDED)


def _signed_in(who: Caller) -> SignedIn:
    if who.signed_in is None:
        raise RemoteError(Code.NOT_SIGNED_IN)
    return who.signed_in
