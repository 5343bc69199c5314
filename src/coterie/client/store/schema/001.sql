-- The store of one profile. Columns carry the names and the order of the records in records.py.

CREATE TABLE setting (
    "key" TEXT PRIMARY KEY,
    "value" BLOB NOT NULL
) STRICT;

-- The ledger: position is the index of the leaf.
CREATE TABLE leaf (
    "position" INTEGER PRIMARY KEY,
    "leaf" BLOB NOT NULL
) STRICT;

-- The ledger of the life before, from which others' accounts are offered to a restored server.
CREATE TABLE old_leaf (
    "position" INTEGER PRIMARY KEY,
    "leaf" BLOB NOT NULL
) STRICT;

-- Manifests that a newer one replaced, by number; and what ended an account, at its number.
CREATE TABLE past (
    "account" BLOB NOT NULL,
    "seq" INTEGER NOT NULL,
    "signed" BLOB NOT NULL,
    "since_ms" INTEGER NOT NULL,
    UNIQUE ("account", "seq")
) STRICT;
CREATE INDEX past_by_time ON past ("since_ms");

-- People. A name can stand here twice (a reset identity): the higher seq is the newer account.
CREATE TABLE account (
    "account" BLOB NOT NULL UNIQUE,
    "name" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "manifest" BLOB NOT NULL,
    "standing" TEXT NOT NULL,
    "changed_ms" INTEGER NOT NULL,
    "deleted_ms" INTEGER NOT NULL,
    "from_ms" INTEGER NOT NULL,
    "changed_by" TEXT NOT NULL
) STRICT;
CREATE INDEX account_by_name ON account ("name", "seq");

-- Rows of one account stand in the order of its manifest. Nothing keeps a hostile manifest from naming
-- another account's device, so the account belongs to the key.
CREATE TABLE peer_device (
    "device" BLOB NOT NULL,
    "account" BLOB NOT NULL,
    "name" TEXT NOT NULL,
    "curve25519" BLOB NOT NULL,
    "ed25519" BLOB NOT NULL,
    "created_ms" INTEGER NOT NULL,
    "revoked_ms" INTEGER NOT NULL,
    "approved_by" BLOB NOT NULL,
    "marked" INTEGER NOT NULL,
    UNIQUE ("account", "device")
) STRICT;
CREATE INDEX peer_device_by_device ON peer_device ("device");

CREATE TABLE peer_keys (
    "device" BLOB NOT NULL UNIQUE,
    "fallback_id" INTEGER NOT NULL,
    "fallback_key" BLOB NOT NULL,
    "x_wing_id" INTEGER NOT NULL,
    "x_wing_key" BLOB NOT NULL,
    "x_wing_created_ms" INTEGER NOT NULL
) STRICT;

CREATE TABLE own_x_wing (
    "id" INTEGER PRIMARY KEY,
    "private" BLOB NOT NULL,
    "created_ms" INTEGER NOT NULL,
    "replaced_ms" INTEGER NOT NULL
) STRICT;

-- X-Wing keys that went to one device inside an envelope. passed_ms: 0 while it may still seal to this one.
CREATE TABLE own_fresh_key (
    "id" INTEGER PRIMARY KEY,
    "device" BLOB NOT NULL,
    "private" BLOB NOT NULL,
    "made_ms" INTEGER NOT NULL,
    "passed_ms" INTEGER NOT NULL
) STRICT;
CREATE INDEX own_fresh_key_unpassed ON own_fresh_key ("device", "made_ms") WHERE "passed_ms" = 0;

-- The newest such key of another device. An empty one only remembers which are older.
CREATE TABLE peer_fresh_key (
    "device" BLOB NOT NULL UNIQUE,
    "id" INTEGER NOT NULL,
    "key" BLOB NOT NULL,
    "since_ms" INTEGER NOT NULL
) STRICT;

-- Sessions between devices. A row with an empty pickle only remembers that the id was used; "former": begun in
-- an earlier life of the server, it opens and seals nothing any more.
CREATE TABLE olm (
    "session" BLOB NOT NULL UNIQUE,
    "account" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "pickle" BLOB NOT NULL,
    "received_ms" INTEGER NOT NULL,
    "unanswered_ms" INTEGER NOT NULL,
    "former" INTEGER NOT NULL
) STRICT;
CREATE INDEX olm_by_device ON olm ("device", "received_ms") WHERE "pickle" <> x'';

CREATE TABLE group_out (
    "conversation" BLOB NOT NULL UNIQUE,
    "session" BLOB NOT NULL,
    "pickle" BLOB NOT NULL,
    "predecessor" BLOB NOT NULL,
    "messages" INTEGER NOT NULL,
    "created_ms" INTEGER NOT NULL,
    "since_order" INTEGER NOT NULL
) STRICT;

CREATE TABLE share (
    "session" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "account" BLOB NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    UNIQUE ("session", "device")
) STRICT;
CREATE INDEX share_left_out ON share ("session") WHERE "state" = 'left-out';

CREATE TABLE kept_key (
    "session" BLOB NOT NULL,
    "index" INTEGER NOT NULL,
    "key" BLOB NOT NULL,
    "predecessor" BLOB NOT NULL,
    "last_n" INTEGER NOT NULL,
    "last_hash" BLOB NOT NULL,
    "since_ms" INTEGER NOT NULL,
    "conversation" BLOB NOT NULL,
    UNIQUE ("session", "index")
) STRICT;

-- The rowid keeps the order in which envelopes were sealed.
CREATE TABLE envelope_out (
    "envelope" BLOB NOT NULL UNIQUE,
    "session" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "item" BLOB NOT NULL,
    "to" BLOB NOT NULL,
    "since_ms" INTEGER NOT NULL
) STRICT;

CREATE TABLE group_in (
    "conversation" BLOB NOT NULL,
    "account" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "session" BLOB NOT NULL,
    "pickle" BLOB NOT NULL,
    "first_index" INTEGER NOT NULL,
    "predecessor" BLOB NOT NULL,
    "last_n" INTEGER NOT NULL,
    "last_hash" BLOB NOT NULL,
    "begun_seq" INTEGER NOT NULL,
    "begun_ms" INTEGER NOT NULL,
    UNIQUE ("session", "device", "conversation", "account")
) STRICT;
CREATE INDEX group_in_begun ON group_in ("conversation", "device", "begun_seq") WHERE "begun_seq" > 0;

CREATE TABLE seen_envelope (
    "device" BLOB NOT NULL,
    "envelope" BLOB NOT NULL,
    PRIMARY KEY ("device", "envelope")
) STRICT, WITHOUT ROWID;

-- The rowid keeps the order in which entries came.
CREATE TABLE waiting (
    "stream" BLOB NOT NULL,
    "seq" INTEGER NOT NULL,
    "account" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "session" BLOB NOT NULL,
    "entry" BLOB NOT NULL,
    "reason" TEXT NOT NULL,
    "since_ms" INTEGER NOT NULL,
    UNIQUE ("stream", "seq")
) STRICT;
CREATE INDEX waiting_by_session ON waiting ("session", "device", "stream", "seq");
CREATE INDEX waiting_by_device ON waiting ("stream", "device");
CREATE INDEX waiting_by_account ON waiting ("account", "stream" DESC, "seq");

CREATE TABLE conversation (
    "id" BLOB NOT NULL UNIQUE,
    "kind" TEXT NOT NULL,
    "peer" BLOB NOT NULL,
    "read_order" INTEGER NOT NULL,
    "draft" TEXT NOT NULL,
    "out_n" INTEGER NOT NULL,
    "out_hash" BLOB NOT NULL,
    "out_message" BLOB NOT NULL,
    "read_seq" INTEGER NOT NULL,
    "told_seq" INTEGER NOT NULL
) STRICT;

CREATE TABLE tip (
    "conversation" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "n" INTEGER NOT NULL,
    "hash" BLOB NOT NULL,
    "order" INTEGER NOT NULL,
    "first_n" INTEGER NOT NULL,
    "held" INTEGER NOT NULL,
    "named_n" INTEGER NOT NULL,
    "told" INTEGER NOT NULL,
    "anew_from" INTEGER NOT NULL,
    UNIQUE ("conversation", "device")
) STRICT;
CREATE INDEX tip_by_order ON tip ("conversation", "order");

CREATE TABLE message (
    "order" INTEGER PRIMARY KEY,
    "conversation" BLOB NOT NULL,
    "message" BLOB NOT NULL,
    "account" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "own" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "body" BLOB NOT NULL,
    "text" TEXT NOT NULL,
    "readable" INTEGER NOT NULL,
    "sent_ms" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "server_ms" INTEGER NOT NULL,
    "n" INTEGER NOT NULL,
    "hash" BLOB NOT NULL,
    "inner" BLOB NOT NULL,
    "franking_key" BLOB NOT NULL,
    "commitment" BLOB NOT NULL,
    "mac" BLOB NOT NULL,
    "session" BLOB NOT NULL,
    "index" INTEGER NOT NULL,
    "not_for" BLOB NOT NULL,
    "shown" INTEGER NOT NULL,
    "session_start" BLOB GENERATED ALWAYS AS (substr("session", 1, 8)) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX message_by_n ON message ("conversation", "device", "n") WHERE "n" > 0;
-- Sessions begin anyhow, so each goes to another place here: it holds their first 8 bytes, and whoever asks
-- looks at the rest ("session_start" = substr(the session, 1, 8) beside "session" = the session).
CREATE INDEX message_by_index ON message ("session_start", "index") WHERE "session" <> x'';
-- Both end in the order, as every index ends in the rowid: history and the count of unread walk along them.
CREATE INDEX message_by_conversation ON message ("conversation") WHERE "shown" = 1;
CREATE INDEX message_of_others ON message ("conversation") WHERE "own" = 0 AND "shown" = 1;

-- A message is unique by conversation, device and id, and by session, index and device. Their indexes hold less:
-- what is drawn at random goes to another page of them each time. Triggers look at the rest.
CREATE INDEX message_by_id ON message ("message");
CREATE TRIGGER message_known BEFORE INSERT ON message WHEN EXISTS (
    SELECT 1 FROM message WHERE "message" = new."message" AND "device" = new."device"
        AND "conversation" = new."conversation" AND "order" <> new."order"
) OR EXISTS (
    SELECT 1 FROM message WHERE "session_start" = substr(new."session", 1, 8) AND "index" = new."index"
        AND "session" = new."session" AND "session" <> x'' AND "device" = new."device"
        AND "order" <> new."order"
) BEGIN
    SELECT RAISE(ABORT, 'a second message under one id or index');
END;
CREATE TRIGGER message_sealed_known BEFORE UPDATE OF "session", "index", "device" ON message
    WHEN (old."session" <> new."session" OR old."index" <> new."index" OR old."device" <> new."device")
    AND EXISTS (
        SELECT 1 FROM message WHERE "session_start" = substr(new."session", 1, 8) AND "index" = new."index"
            AND "session" = new."session" AND "session" <> x'' AND "device" = new."device"
            AND "order" <> new."order"
) BEGIN
    SELECT RAISE(ABORT, 'a second message of one index');
END;
CREATE TRIGGER message_moved_known BEFORE UPDATE OF "device" ON message WHEN old."device" <> new."device"
    AND EXISTS (
        SELECT 1 FROM message WHERE "message" = new."message" AND "device" = new."device"
            AND "conversation" = new."conversation" AND "order" <> new."order"
) BEGIN
    SELECT RAISE(ABORT, 'a second message under one id');
END;

-- One row. deleted: the highest order of a message that was deleted: none is ever used again. indexed: up to
-- which order texts are in message_words (words.py).
CREATE TABLE orders (
    "deleted" INTEGER NOT NULL,
    "indexed" INTEGER NOT NULL
) STRICT;
INSERT INTO orders VALUES (0, 0);
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    UPDATE orders SET "deleted" = max("deleted", old."order");
END;

-- The words of all texts. The text itself stands in message only; no lengths are kept: nothing ranks by them.
CREATE VIRTUAL TABLE message_words USING fts5 (
    "text", content = 'message', content_rowid = 'order', columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_inserted AFTER INSERT ON message WHEN new."order" <= (SELECT "indexed" FROM orders)
BEGIN
    INSERT INTO message_words (rowid, "text") VALUES (new."order", new."text");
END;
CREATE TRIGGER message_deleted AFTER DELETE ON message WHEN old."order" <= (SELECT "indexed" FROM orders)
BEGIN
    INSERT INTO message_words (message_words, rowid, "text") VALUES ('delete', old."order", old."text");
END;
CREATE TRIGGER message_rewritten AFTER UPDATE OF "text" ON message
    WHEN old."text" <> new."text" AND new."order" <= (SELECT "indexed" FROM orders)
BEGIN
    INSERT INTO message_words (message_words, rowid, "text") VALUES ('delete', old."order", old."text");
    INSERT INTO message_words (rowid, "text") VALUES (new."order", new."text");
END;

CREATE TABLE outbox (
    "order" INTEGER PRIMARY KEY,
    "conversation" BLOB NOT NULL,
    "message" BLOB NOT NULL,
    "state" TEXT NOT NULL,
    "since_ms" INTEGER NOT NULL,
    "previous" BLOB NOT NULL,
    "ciphertext" BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_open ON outbox ("conversation", "state") WHERE "state" <> 'sent';
CREATE INDEX outbox_sent ON outbox ("since_ms") WHERE "state" = 'sent';

-- Runs of orders whose rows in the outbox are gone as far as they are sent, and are deleted when the outbox is written
-- next (let_go.py).
CREATE TABLE let_go (
    "first_order" INTEGER PRIMARY KEY,
    "last_order" INTEGER NOT NULL
) STRICT;

-- Which own messages a device of the other person has: from the index of the key that it was given, up to another.
-- Their rows still say that they are sent; whoever reads them asks here (tables.py).
CREATE TABLE delivered (
    "session" BLOB NOT NULL,
    "first_index" INTEGER NOT NULL,
    "up_to" INTEGER NOT NULL,
    UNIQUE ("session", "first_index")
) STRICT;

-- What other devices have of what this one has written.
CREATE TABLE receipt (
    "session" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "up_to" INTEGER NOT NULL,
    PRIMARY KEY ("session", "device")
) STRICT, WITHOUT ROWID;

-- Which devices are to be told what this one has of theirs.
CREATE TABLE receipt_due (
    "session" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "account" BLOB NOT NULL,
    "conversation" BLOB NOT NULL,
    "first_index" INTEGER NOT NULL,
    PRIMARY KEY ("session", "device")
) STRICT, WITHOUT ROWID;

CREATE TABLE "position" (
    "stream" BLOB NOT NULL UNIQUE,
    "incarnation" BLOB NOT NULL,
    "seq" INTEGER NOT NULL,
    "anew_from" INTEGER NOT NULL
) STRICT;

-- Messages that are known of and not here: an entry that cannot be opened, or a run of numbers of one device.
CREATE TABLE awaited (
    "conversation" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "message" BLOB NOT NULL,
    "first_n" INTEGER NOT NULL,
    "last_n" INTEGER NOT NULL,
    "account" BLOB NOT NULL,
    "hash" BLOB NOT NULL,
    "named_by" BLOB NOT NULL,
    "order" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "mailbox_end" INTEGER NOT NULL,
    "since_ms" INTEGER NOT NULL,
    "asked" INTEGER NOT NULL,
    "next_ms" INTEGER NOT NULL,
    UNIQUE ("conversation", "device", "message", "first_n")
) STRICT;
CREATE INDEX awaited_due ON awaited ("next_ms");
CREATE INDEX awaited_by_order ON awaited ("order");

-- Which device was given which message again, and how often.
CREATE TABLE repair_given (
    "device" BLOB NOT NULL,
    "order" INTEGER NOT NULL,
    "times" INTEGER NOT NULL,
    "at_ms" INTEGER NOT NULL,
    UNIQUE ("device", "order", "times")
) STRICT;
CREATE INDEX repair_given_by_time ON repair_given ("device", "at_ms");

-- The leaf by which this device first saw another one, in each ledger of the server.
CREATE TABLE device_since (
    "account" BLOB NOT NULL,
    "device" BLOB NOT NULL,
    "ledger" BLOB NOT NULL,
    "leaf" INTEGER NOT NULL,
    UNIQUE ("account", "device", "ledger")
) STRICT;
