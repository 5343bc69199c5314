"""The live ratchets of this device, and their pickles on the way to and from the store.

A live object is ahead of its pickle until the commit. Where a commit fails, forget() drops every live object
and the next use reads the last committed pickle again: nothing of the failed turn was sent, so that is safe.
"""

from __future__ import annotations

from collections import OrderedDict

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId
from coterie.client.core.ports import Reads
from coterie.client.store.records import GroupInRow, GroupOutRow, OlmRow, OwnXWing, PutSetting, Setting
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys, GroupIn, GroupOut, OlmSession, pickle_key

LIVE_SESSIONS = 2000
"""How many unpickled sessions of each kind are held at most."""
FRESH_KEYS = 64
"""Own X-Wing keys held ready: 170 us each to make them so, and most envelopes are sealed to a new one."""


class Keyring:
    """Unpickles on demand, remembers, pickles."""

    def __init__(self, reads: Reads) -> None:
        root = reads.setting(Setting.PICKLE_ROOT)
        if root is None:
            raise Unavailable(Code.DISK, "the profile has no pickle root")
        self._reads = reads
        self._root = root
        self._device: DeviceKeys | None = None
        self._olm: OrderedDict[bytes, OlmSession] = OrderedDict()
        self._out: OrderedDict[bytes, GroupOut] = OrderedDict()
        self._in: OrderedDict[tuple[bytes, bytes], GroupIn] = OrderedDict()
        self._fresh: OrderedDict[tuple[DeviceId, int], XWingKey] = OrderedDict()
        self._x_wing: XWingKey | None = None
        self._pickle_keys: OrderedDict[tuple[bytes, ...], bytes] = OrderedDict()

    def forget(self) -> None:
        """Drop every live object (after a failed commit)."""
        self._device = None
        self._olm.clear()
        self._out.clear()
        self._in.clear()
        self._fresh.clear()
        self._x_wing = None

    @property
    def device(self) -> DeviceKeys:
        if self._device is None:
            pickle = self._reads.setting(Setting.DEVICE_PICKLE)
            if pickle is None:
                raise Unavailable(Code.DISK, "the profile has no device keys")
            self._device = DeviceKeys.from_pickle(pickle, self._key(b"device"))
        return self._device

    def device_record(self) -> PutSetting:
        return PutSetting(Setting.DEVICE_PICKLE, self.device.pickle(self._key(b"device")))

    def olm(self, row: OlmRow) -> OlmSession:
        live = self._olm.get(row.session)
        if live is None:
            live = OlmSession.from_pickle(row.pickle, self._key(b"olm", row.session))
            self.hold_olm(live)
        return live

    def hold_olm(self, session: OlmSession) -> None:
        self._olm[session.id] = session
        while len(self._olm) > LIVE_SESSIONS:
            self._olm.popitem(last=False)

    def drop_olm(self, session: bytes) -> None:
        self._olm.pop(session, None)

    def olm_record(
        self,
        session: OlmSession,
        account: AccountId,
        device: DeviceId,
        received_ms: int,
        unanswered_ms: int = 0,
        *,
        former: bool = False,
    ) -> OlmRow:
        pickle = session.pickle(self._key(b"olm", session.id))
        return OlmRow(session.id, account, device, pickle, received_ms, unanswered_ms, former)

    def hold_fresh_key(self, device: DeviceId, id: int, key: XWingKey) -> None:
        """A key for that device to seal to, from the moment it is made: it goes with everything live, so it
        never outlives its row in the store (core/pruning.py)."""
        self._fresh[device, id] = key
        while len(self._fresh) > FRESH_KEYS:
            self._fresh.popitem(last=False)

    def fresh_key(self, device: DeviceId, id: int) -> XWingKey | None:
        """One that is held, and was given to this very device."""
        return self._fresh.get((device, id))

    def x_wing(self, row: OwnXWing) -> XWingKey:
        """A signed prekey. The last one used is held ready: whoever has nothing newer of this device seals
        everything to it."""
        if self._x_wing is None or self._x_wing.private != row.private:
            self._x_wing = XWingKey.from_private(row.private)
        return self._x_wing

    def drop_x_wing(self) -> None:
        """What is held ready does not outlive its row in the store either."""
        self._x_wing = None

    def group_out(self, row: GroupOutRow) -> GroupOut:
        live = self._out.get(row.session)
        if live is None:
            live = GroupOut.from_pickle(row.pickle, self._key(b"out", row.session))
            self.hold_group_out(live)
        return live

    def hold_group_out(self, session: GroupOut) -> None:
        self._out[session.id] = session
        while len(self._out) > LIVE_SESSIONS:
            self._out.popitem(last=False)

    def group_out_pickle(self, session: GroupOut) -> bytes:
        return session.pickle(self._key(b"out", session.id))

    def group_in(self, row: GroupInRow) -> GroupIn:
        """The live session of a row; sessions are told apart by device too, an id alone can be squatted."""
        key = (row.device + row.conversation, row.session)
        live = self._in.get(key)
        if live is None:
            live = GroupIn.from_pickle(row.pickle, self._in_key(row.conversation, row.device, row.session))
            self._in[key] = live
            while len(self._in) > LIVE_SESSIONS:
                self._in.popitem(last=False)
        return live

    def group_in_pickle(self, conversation: ConversationId, device: DeviceId, session: GroupIn) -> bytes:
        return session.pickle(self._in_key(conversation, device, SessionId(session.id)))

    def _in_key(self, conversation: ConversationId, device: DeviceId, session: SessionId) -> bytes:
        return self._key(b"in", conversation, device, session)

    def _key(self, *object_id: bytes) -> bytes:
        """Of one object's pickle: it is pickled with every step."""
        key = self._pickle_keys.get(object_id)
        if key is None:
            key = self._pickle_keys[object_id] = pickle_key(self._root, *object_id)
            while len(self._pickle_keys) > LIVE_SESSIONS:
                self._pickle_keys.popitem(last=False)
        return key
