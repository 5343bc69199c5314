"""Every size and time limit of coterie, with its unit in its name."""

from __future__ import annotations

SECOND_MS = 1000
HOUR_MS = 3600 * SECOND_MS
DAY_MS = 24 * HOUR_MS

# the connection
FRAME_BYTES = 1 << 20
"""One WebSocket message, which may carry several frames."""
FRAMES_PER_MESSAGE = 1024
MESSAGE_FILL_BYTES = 8 * 1024
"""A server puts no further frame into a message that would grow beyond this: what a connection has once sent
in one message stays in its buffers, for as long as it is open."""
CONNECT_SECONDS = 10.0
HANDSHAKE_SECONDS = 30.0
ANSWER_SECONDS = 10.0
"""A Send without an answer for this long is sent again with the same bytes."""
PING_SECONDS = 20.0
SLOW_READER_SECONDS = 60.0
COPIED_PROFILE_PING_SECONDS = 5.0
BACKOFF_FIRST_SECONDS = 0.5
BACKOFF_LAST_SECONDS = 30.0
CONNECTIONS_MAX = 10_000

# what is said
TEXT_BYTES = 64 * 1024
CIPHERTEXT_BYTES = 512 * 1024
"""A padded, sealed message (a 64 KiB text pads to 128 KiB)."""
ENVELOPE_BYTES = 8 * 1024
REPAIR_ENVELOPE_BYTES = 192 * 1024
ENVELOPES_PER_FRAME = 100
KEYS_PER_ENVELOPE = 4
"""As many sessions as the messages of one turn take; their keys fill less than half of an envelope."""
PADDING_UNIT_BYTES = 256
OTHER_PARENTS = 7

# streams
WINDOW_ENTRIES = 256
WINDOW_BYTES = 1 << 20
ACK_ENTRIES = 10
ACK_SECONDS = 1.0
KEEP_ENTRY_MS = 30 * DAY_MS
COPY_TOLD_MS = KEEP_ENTRY_MS - 5 * DAY_MS
"""So long after a device was there last, nothing that it had not acknowledged can have expired."""
KEEP_MAIL_MS = 40 * DAY_MS
"""An envelope may carry the key of a message that came days later, and has to outlive it."""
KEEP_MESSAGE_ID_MS = 60 * DAY_MS
"""30 days for the entry, and 30 days that its id outlives it."""
PRESENCE_SECONDS = 1.0
LANE_FRAMES = 2000
LANE_LEAST_FRAMES = 250
LANE_BYTES = 4 << 20
LANE_SECONDS = 0.1
"""What fills the lane is what a turn handles in this time, between these two numbers of frames."""
LANE_SHARE_FRAMES = 32
LANE_SHARE_BYTES = 256 * 1024
"""So much of each connection is taken although the lane is full."""
FETCHES_PER_TURN = 8
"""Of one connection: so much of answers up to FRAME_BYTES each may be unsent at once."""

# quotas
MESSAGES_PER_SECOND = 100.0
MESSAGES_BURST = 2000.0
SIGN_UPS_PER_HOUR = 5.0
LOGIN_FAILURES = 10.0
LOGIN_WINDOW_SECONDS = 900.0
MAILBOX_ENTRIES = 10_000
MAILBOX_BYTES = 50 << 20
CLAIMS_PER_SECOND = 50.0
CLAIMS_BURST = 5000.0
FETCHES_PER_SECOND = 100.0
FETCHES_BURST = 2000.0
PREKEYS_PER_SECOND = 5.0
PREKEYS_BURST = 2000.0
"""Prekeys given to the server: it checks a signature for each."""
MANIFEST_TRIES_PER_SECOND = 1 / 60
MANIFEST_TRIES_BURST = 20.0
"""Taken or not: each costs the server milliseconds."""
OFFERS_PER_SECOND = 5.0
OFFERS_BURST = 2000.0
"""Manifests given back to a restored server."""

# files, sealed
BLOB_BYTES = 512 << 20
"""One file, padded and sealed."""
BLOB_CHUNK_BYTES = 64 * 1024
BLOB_MESSAGE_BYTES = BLOB_CHUNK_BYTES + 1024
"""One WebSocket message of a client on the second channel."""
BLOB_READ_BYTES = 1 << 20
"""What one request gives of a file."""
BLOBS_PER_ACCOUNT = 10_000
BLOB_BYTES_PER_ACCOUNT = 4 << 30
BLOB_BYTES_PER_SECOND = float(16 << 20)
BLOB_BYTES_BURST = float(1 << 30)
"""Up and down, by account."""
BLOB_CONNECTIONS_MAX = 1000
BLOB_CONNECTIONS_PER_DEVICE = 4
BLOB_CONNECTIONS_PER_ADDRESS = 16
"""On which nobody has signed in."""
BLOB_SILENT_SECONDS = 60.0
"""A second channel on which nothing goes on for so long ends."""
UPLOAD_SECONDS = 6 * 3600.0
KEEP_BLOB_MS = 40 * DAY_MS
"""As keys: a message lies here for 30 days, and whoever gets it on the last needs time for its file."""
BLOB_SPARE_BYTES = 1 << 30
"""Room on the disk that no file takes: messages need it."""

# accounts and devices
NAME_CHARACTERS = 32
DEVICE_NAME_BYTES = 64
DEVICES_PER_ACCOUNT = 20
MANIFESTS_PER_DAY = 10
MANIFEST_BYTES = 64 * 1024
VAULT_BYTES = 64 * 1024
DELETION_BYTES = 8 * 1024
SUCCESSION_BYTES = 8 * 1024
RESET_CODE_MS = 7 * DAY_MS
"""How long an operator's word that a name may begin anew is good for."""
RESET_AFTER_MS = DAY_MS
"""How long an identity that somebody lost has for saying that it did not."""
ONE_TIME_KEYS = 50
PREKEY_MAX_AGE_MS = 35 * DAY_MS
PREKEY_ROTATE_MS = 7 * DAY_MS
FALLBACK_ROTATE_MS = 30 * DAY_MS
"""Two are held, so one lives as long again after its replacement as this (docs/decisions/0013)."""
FALLBACK_MAX_AGE_MS = 65 * DAY_MS
"""As old as it gets with a device that is not dormant (30 + 30 days), and 5 days as for other prekeys."""
TOP_UP_EVERY_MS = 6 * HOUR_MS
"""Whoever claims them all has others begin with the fallback key until then, and no more."""
PREKEY_KEEP_MS = 30 * DAY_MS
DORMANT_AFTER_MS = 30 * DAY_MS
CLOCK_SKEW_MS = HOUR_MS
STATEMENT_MS = 7 * DAY_MS
"""How long a server statement is valid; the server renews it long before."""
PASSWORD_BYTES = 1024

# passwords
ARGON2_MEMORY_KIB = 64 * 1024
ARGON2_PASSES = 3
ARGON2_LANES = 4

# ledger
HEAD_INTERVAL_MS = HOUR_MS
HEAD_OLD_MS = DAY_MS
"""A client whose newest head is older warns; one that is dated further ahead counts for nothing."""
STALE_HEAD_MS = DAY_MS
LEAVES_PER_FRAME = 4000
ACCOUNTS_PER_FRAME = 50
OFFERS_PER_FRAME = 50
OFFERED_BYTES = 512 * 1024
"""Of what one frame gives back to a restored server; one account is always within it."""
RESTORES_MOST = 64
RESTORE_EVERY_MS = DAY_MS
"""Whoever says sooner that it was restored once more is not believed."""
EPOCH_LEAVES = 100
EPOCH_SECONDS = 1.0

# a device that joins by approval
APPROVAL_SECONDS = 600
"""How long a request waits on the server, and how long a device watches for requests at most."""
APPROVALS_WAITING = 500
"""On a server; then the oldest that nobody has answered ends."""
APPROVALS_SHOWN = 8
"""To a device while it watches once: the newest."""
APPROVALS_PER_HOUR = 20.0
APPROVALS_BURST = 10.0
"""Requests from one address; none on loopback."""
APPROVAL_WATCHES_PER_SECOND = 0.1
APPROVAL_WATCHES_BURST = 20.0
APPROVAL_RELAYS = 8
"""Messages that each side may have relayed."""
APPROVAL_REQUEST_BYTES = 4 * 1024
"""Of a message of the device that wants to join, which nobody knows."""
APPROVAL_MESSAGE_BYTES = 144 * 1024
"""Of a message to it: the account's private keys, its manifest and its vault."""

# sessions
OLM_SESSIONS_PER_DEVICE = 5
OLM_UNANSWERED_MS = 28 * DAY_MS
"""So long a session is sealed on that began here and was never answered: the fallback key under which it may
have begun lives for two more days at least (docs/decisions/0013)."""
OLM_FAILURES_PER_HOUR = 20
FRESH_KEYS_UNPASSED = 50
"""Fresh keys that one device was given and may still seal to; from there on it gets one a week."""
ROTATE_DIRECT_MESSAGES = 25
ROTATE_DIRECT_MS = HOUR_MS
ROTATE_SPEAKER_MS = 600 * SECOND_MS
"""A direct session that is older ends when somebody else has spoken since it began."""
ROTATE_SMALL_DEVICES = 50
ROTATE_SMALL_MESSAGES = 50
ROTATE_SMALL_MS = DAY_MS
ROTATE_LARGE_MESSAGES = 100
ROTATE_LARGE_MS = 7 * DAY_MS

GIVE_AGAIN_MS = DAY_MS
"""Longer than this nothing sealed waits to be given to the server: keys of others are taken at up to 35 days,
and are replaced after 7, so that each lives for 2 more at least (docs/decisions/0013)."""
KEEP_SENT_MS = 30 * DAY_MS
"""What the outbox keeps of messages the server has, and the keys that devices are owed."""
KEEP_ENDED_SESSION_MS = DAY_MS
"""How long the key of somebody's session outlives the first message of the one after it."""
PRUNE_EVERY_MS = 6 * HOUR_MS

# repair
REPAIR_TIMES = 3
"""How often one device is given one message."""
REPAIRS_PER_HOUR = 100
"""To one device."""
REPAIR_REQUESTS_PER_HOUR = 200
"""Of one device; what it seals beyond that is kept unopened for the hour."""
REPAIR_ASKED_PER_HOUR = 150
"""As often as one device is asked: so that no honest one ever asks too often."""
REPAIR_FLOOD_KEPT = 200
"""So many envelopes of such a device; what goes beyond that is dropped."""
LATE_BACK_MS = 600 * SECOND_MS
"""What a restored server takes within so long is given to whoever was there before and came back late."""
REPAIR_RUN_MESSAGES = 10_000
"""As many skipped messages of a device at once have places kept for them, the newest."""

# comparing emoji
VERIFY_PERSON_MS = 600 * SECOND_MS
"""How long an exchange waits for a person, here or there."""
VERIFY_DEVICE_MS = 120 * SECOND_MS
"""How long for what the other device does by itself."""

# this machine
PROFILE_WAIT_SECONDS = 10.0
