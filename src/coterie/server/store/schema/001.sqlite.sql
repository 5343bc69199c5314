-- Numbers (no) stand for ids inside the database: small rows, small indexes. Times are milliseconds UTC.

CREATE TABLE facts (            -- what the server is: secrets, incarnation, invite token
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE statements (       -- the server's signed statements
    seq    INTEGER PRIMARY KEY,
    signed BLOB NOT NULL
);

CREATE TABLE leaves (           -- the ledger
    idx  INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL
);

CREATE TABLE newest_leaves (    -- of each name
    name_hash BLOB PRIMARY KEY,
    idx       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE heads (
    size    INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    signed  BLOB NOT NULL
);

CREATE TABLE tokens (           -- of invites, where sign-up is closed
    mac        BLOB PRIMARY KEY,
    uses_left  INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    no         INTEGER PRIMARY KEY,
    account    BLOB NOT NULL UNIQUE,
    name       TEXT UNIQUE,        -- NULL once the account was deleted
    seq        INTEGER NOT NULL,
    hash       BLOB NOT NULL,      -- of the newest manifest
    first_hash BLOB NOT NULL,      -- of manifest 1
    leaf       INTEGER NOT NULL,   -- index of the newest leaf; -1: none yet in the ledger of this life
    salt       BLOB NOT NULL,      -- the random part
    vault      BLOB NOT NULL
);

CREATE TABLE verifiers (        -- HMAC of each auth key
    account_no INTEGER NOT NULL,
    id         BLOB NOT NULL,
    mac        BLOB NOT NULL,
    PRIMARY KEY (account_no, id)
) WITHOUT ROWID;

CREATE TABLE manifests (
    account_no  INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    leaf        INTEGER NOT NULL,
    accepted_ms INTEGER NOT NULL,
    signed      BLOB NOT NULL
);
CREATE UNIQUE INDEX manifests_in_order ON manifests (account_no, seq);

CREATE TABLE deletions (        -- what proves that an account was ended by its owner
    account_no INTEGER PRIMARY KEY,
    name_hash  BLOB NOT NULL,
    signed     BLOB NOT NULL
);

CREATE TABLE resets (           -- names that begin anew
    account_no INTEGER PRIMARY KEY,  -- the new account
    old_no     INTEGER NOT NULL,
    from_ms    INTEGER NOT NULL,
    state      INTEGER NOT NULL      -- 0 announced, 1 cancelled, 2 in effect
);

CREATE TABLE successions (      -- accounts that follow others by those ones' word
    account_no INTEGER PRIMARY KEY,  -- the new account
    old_no     INTEGER NOT NULL,
    signed     BLOB NOT NULL
);

CREATE TABLE reset_tokens (     -- whose name may, by the operator's word
    account_no INTEGER PRIMARY KEY,
    mac        BLOB NOT NULL,
    expires_ms INTEGER NOT NULL
);

CREATE TABLE devices (
    no            INTEGER PRIMARY KEY,
    device        BLOB NOT NULL UNIQUE,
    account_no    INTEGER NOT NULL,
    ed25519       BLOB NOT NULL,
    revoked       INTEGER NOT NULL DEFAULT 0,
    leaf          INTEGER NOT NULL,           -- of the manifest that added it
    run           INTEGER NOT NULL DEFAULT 0,
    run_nonce     BLOB NOT NULL DEFAULT x'',
    x_wing_ms     INTEGER NOT NULL DEFAULT 0, -- creation of the newest X-Wing prekey
    mailbox_end   INTEGER NOT NULL DEFAULT 0,
    mailbox_acked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX devices_of_account ON devices (account_no);

CREATE TABLE one_time_keys (
    device_no  INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    signed     BLOB NOT NULL,
    PRIMARY KEY (device_no, id)
) WITHOUT ROWID;

CREATE TABLE spent_keys (       -- one-time keys given out: never given again, whoever uploads them
    device_no INTEGER NOT NULL,
    id        INTEGER NOT NULL,
    PRIMARY KEY (device_no, id)
) WITHOUT ROWID;

CREATE TABLE standing_keys (    -- fallback and X-Wing
    device_no  INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    signed     BLOB NOT NULL,
    PRIMARY KEY (device_no, kind)
) WITHOUT ROWID;

CREATE TABLE accepts (          -- account_no wants messages of other_no
    account_no INTEGER NOT NULL,
    other_no   INTEGER NOT NULL,
    PRIMARY KEY (account_no, other_no)
) WITHOUT ROWID;

CREATE TABLE speakers (         -- who posts to everyone when it is large
    account_no INTEGER PRIMARY KEY
);

CREATE TABLE conversations (    -- everyone has no accounts
    no           INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL UNIQUE,
    one_no       INTEGER,
    other_no     INTEGER,
    log_end      INTEGER NOT NULL DEFAULT 0,
    last_no      INTEGER NOT NULL DEFAULT 0, -- of the entry at log_end
    emptied      INTEGER NOT NULL DEFAULT 0, -- entries up to here are passed or expired
    life_from    INTEGER NOT NULL DEFAULT 0  -- log_end when this life began
);
CREATE INDEX conversations_of_one ON conversations (one_no);
CREATE INDEX conversations_of_other ON conversations (other_no);

CREATE TABLE entitled (         -- and each device's cursor and last message there
    conversation_no INTEGER NOT NULL,
    device_no       INTEGER NOT NULL,
    from_seq        INTEGER NOT NULL,
    acked           INTEGER NOT NULL,
    skip_after      INTEGER NOT NULL DEFAULT 0,  -- what came behind it up to skip_to was sealed while the device
    skip_to         INTEGER NOT NULL DEFAULT 0,  -- was dormant, without it
    last_message    BLOB NOT NULL DEFAULT x'',
    last_no         INTEGER NOT NULL DEFAULT 0,  -- of its entry
    PRIMARY KEY (conversation_no, device_no)
) WITHOUT ROWID;
CREATE INDEX entitled_by_device ON entitled (device_no);

CREATE TABLE sessions (
    no              INTEGER PRIMARY KEY,
    conversation_no INTEGER NOT NULL,
    sender_no       INTEGER NOT NULL,
    session         BLOB NOT NULL,
    created_ms      INTEGER NOT NULL
);
CREATE UNIQUE INDEX sessions_once ON sessions (conversation_no, sender_no, session);

CREATE TABLE shares (           -- reason '': the key went there, else why it did not
    session_no INTEGER NOT NULL,
    device_no  INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (session_no, device_no)
) WITHOUT ROWID;

CREATE TABLE log_entries (      -- a row outlives its ciphertext (NULL then): it is what a retry is known by
    no              INTEGER PRIMARY KEY,
    conversation_no INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    device_no       INTEGER NOT NULL,
    behind_no       INTEGER NOT NULL,   -- the entry before it in this log, 0 for none: logs are read so (logs.py)
    before_no       INTEGER NOT NULL,   -- this device's entry before it here, 0 for none: retries are found so
    session         BLOB NOT NULL,
    message         BLOB NOT NULL,
    commitment      BLOB NOT NULL,
    mac             BLOB NOT NULL,
    time_ms         INTEGER NOT NULL,
    ciphertext      BLOB
);
CREATE UNIQUE INDEX log_marks ON log_entries (conversation_no, seq) WHERE seq % 16 = 0;

CREATE TABLE mailbox_entries (
    no        INTEGER PRIMARY KEY,
    device_no INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    sender_no INTEGER NOT NULL,
    envelope  BLOB NOT NULL,
    share     INTEGER NOT NULL,   -- which part of the mailbox it fills (policy.MailShare)
    bytes     INTEGER NOT NULL,
    time_ms   INTEGER NOT NULL,
    sealed    BLOB NOT NULL
);
CREATE UNIQUE INDEX mailbox_in_order ON mailbox_entries (device_no, seq);

CREATE TABLE envelope_ids (     -- what a repeated envelope is known by
    no        INTEGER PRIMARY KEY,
    sender_no INTEGER NOT NULL,
    envelope  BLOB NOT NULL,
    time_ms   INTEGER NOT NULL
);
CREATE UNIQUE INDEX envelopes_once ON envelope_ids (sender_no, envelope);

CREATE TABLE blobs (            -- sealed files; their bytes lie elsewhere
    no         INTEGER PRIMARY KEY,
    blob       BLOB NOT NULL UNIQUE,
    account_no INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     BLOB NOT NULL,      -- of what is sealed
    time_ms    INTEGER NOT NULL,      -- when it began to come, then when it was whole
    state      INTEGER NOT NULL       -- 0 coming, 1 whole, 2 going
);
CREATE INDEX blobs_by_time ON blobs (state, time_ms);
CREATE INDEX blobs_of_account ON blobs (account_no);

CREATE TABLE blob_use (         -- how much of what it may keep an account has used
    account_no INTEGER PRIMARY KEY,
    files      INTEGER NOT NULL,
    bytes      INTEGER NOT NULL
);
