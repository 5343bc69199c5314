"""What the forms say: sign-up, recovery key, login, unlocking. One language, keyed; errors keyed by code."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base.codes import Code


class FormText(StrEnum):
    """Every sentence of the forms."""

    APPLICATION = "coterie"
    INITIAL = "C"
    # labels of fields
    SERVER = "Server"
    USER_NAME = "User name"
    PASSWORD = "Password"
    PASSWORD_OR_PASSPHRASE = "Password or passphrase"
    NEW_PASSWORD = "New password"
    CONFIRM_PASSWORD = "Confirm password"
    RECOVERY_KEY = "Recovery key (24 words)"
    PROFILE = "Account"
    SHOW = "Show"
    HIDE = "Hide"
    # sign-up
    SIGN_UP_TITLE = "Create your account"
    SIGN_UP_SUBTITLE = "Your password never leaves this device."
    SIGN_UP = "Create account"
    SIGNING_UP = "Creating your account ..."
    HAVE_ACCOUNT = "I already have an account"
    PINNED = "The invitation carries the server's fingerprint."
    SUGGEST_PASSPHRASE = "Suggest a passphrase"
    OWN_PASSWORD = "Choose my own password"
    PASSPHRASE_PROMISE = (
        "Six random words, made for you. Write them down: with your name and these words alone you "
        "can log in on another machine."
    )
    WRAP_WITH_PASSWORD = "Let me log in elsewhere with this password alone"
    WRAP_WARNING = "Whoever holds the server can try to guess this."
    # strength, by zxcvbn's score
    STRENGTH_0 = "Very weak"
    STRENGTH_1 = "Weak"
    STRENGTH_2 = "Fair"
    STRENGTH_3 = "Good"
    STRENGTH_4 = "Strong"
    STRENGTH_LINE = "{word}, about {bits} bits"
    # login
    LOG_IN_TITLE = "Log in"
    LOG_IN_SUBTITLE = "This machine becomes one of your devices."
    LOG_IN = "Log in"
    LOGGING_IN = "Logging in ..."
    CREATE_ACCOUNT = "Create an account"
    HAVE_RECOVERY_KEY = "Use my recovery key"
    RECOVERY_PASSWORD = "Forgot the password? Type a new one above."
    RECOVERY_KEY_NEEDED = "This password does not open the account on a new machine. Enter your recovery key."
    # login by approval
    APPROVE_INSTEAD = "Ask one of my devices"
    APPROVAL_TITLE = "Ask your devices"
    APPROVAL_SUBTITLE = "One that is signed in lets this machine in."
    PASSWORD_HERE = "New password for this machine"
    ASK_DEVICES = "Ask"
    ASKING_DEVICES = "Asking ..."
    WAITING_FOR_DEVICE = "Waiting for one of your devices ..."
    APPROVAL_CODE = (
        "There open Your devices, Add a device, enter this code (or run coterie devices approve --code CODE)."
        " Without a code both show seven emoji to compare."
    )
    CODE_ARRIVED = "The code has arrived ..."
    SAME_EMOJI = "Is it the same there, in this order?"
    EMOJI_MATCH = "They are the same"
    EMOJI_DIFFER = "They are different"
    DIFFERENT_EMOJI = "Then somebody may stand between your devices. Nothing was given away."
    SAY_YES_THERE = "Say yes there, too ..."
    CANCEL = "Cancel"
    # unlocking
    UNLOCK_TITLE = "Welcome back"
    UNLOCK_TITLE_NAMED = "Welcome back, {name}"
    UNLOCK_SUBTITLE = "Your messages are locked on this device."
    UNLOCK = "Unlock"
    UNLOCKING = "Unlocking ..."
    OTHER_ACCOUNT = "Use another account"
    BACK = "Back"
    # the recovery key step
    RECOVERY_TITLE = "Your recovery key"
    RECOVERY_SUBTITLE = "It opens your account on a new machine. It is shown only now."
    RECOVERY_TITLE_BOTH = "Your passphrase and recovery key"
    RECOVERY_SUBTITLE_BOTH = "Write both down. They are shown only now."
    PASSPHRASE_SHOWN = "Your passphrase: it unlocks this device, and logs you in on others"
    RECOVERY_SHOWN = "Your recovery key: 24 words, for the day the passphrase is lost"
    COPY = "Copy"
    COPIED = "Copied. The clipboard is emptied in a minute."
    WRITTEN_DOWN = "I have written it down"
    WRITTEN_BOTH_DOWN = "I have written them down"
    CHECK_TITLE = "Did you write it down?"
    CHECK_SUBTITLE = "Type these words of your recovery key."
    CHECK_WORD = "Word {number}"
    CHECK_PASSPHRASE = "Your passphrase"
    CHECK = "Done"
    SHOW_AGAIN = "Show it again"
    NOT_THAT_WORD = "This is not word {number}"
    NOT_THE_PASSPHRASE = "This is not your passphrase"
    # anywhere
    ALL_REQUIRED = "All fields are required"
    PASSWORD_MISMATCH = "Password mismatch"
    NOT_SHOWABLE = "Emoji and symbols cannot be used here"
    BROKEN = "Something went wrong inside coterie ({what}). Please try again."
    UNEXPECTED = "That did not work ({code})"


def strength_words(score: int, bits: float) -> str:
    """The line under the strength bar."""
    words = (
        FormText.STRENGTH_0,
        FormText.STRENGTH_1,
        FormText.STRENGTH_2,
        FormText.STRENGTH_3,
        FormText.STRENGTH_4,
    )
    word = words[max(0, min(score, len(words) - 1))]
    return FormText.STRENGTH_LINE.format(word=word.value, bits=round(bits))


_REFUSALS: Final[dict[Code, str]] = {
    Code.NAME_TAKEN: "User already exists",
    Code.WRONG_CREDENTIALS: "Invalid username or password",
    Code.BAD_NAME: "Use 1 to 32 letters, digits, dots, - or _",
    Code.WEAK_PASSWORD: "This password is too easy to guess",
    Code.NEEDS_RECOVERY_KEY: FormText.RECOVERY_KEY_NEEDED.value,
    Code.SIGN_UP_CLOSED: "This server takes new accounts by invitation only",
    Code.TOO_MANY_TRIES: "Too many tries. Please wait a few minutes",
    Code.TOO_MANY_DEVICES: "This account has as many devices as it may have",
    Code.NOT_APPROVED: "This was not approved: one side ended it, or nobody answered in time",
    Code.BUSY: "The server is busy. Please try again in a moment",
    Code.RESET_PENDING: "This name begins anew a day after you asked for it, unless its owner says no",
    Code.DELETED: "This account was deleted",
    Code.REVOKED: "This device was removed from the account",
    Code.COPIED_PROFILE: "Another machine runs a copy of this account's folder",
    Code.RESTORED_PROFILE: "This folder is an older copy. Log in again to go on",
    Code.UNREACHABLE: "The server cannot be reached",
    Code.NEEDS_INVITE: "This server has to be entered by its invitation link",
    Code.STATEMENT_EXPIRED: "The server's proof of identity has expired",
    Code.VERSION: "The server speaks another version of coterie",
    Code.PROFILE_IN_USE: "This account is open in another window",
    Code.PROFILE_EXISTS: "This account is on this machine already: unlock it",
    Code.NO_PROFILE: "This account is not on this machine",
    Code.DISK: "The disk cannot be written or read",
    Code.DAMAGED: "The messages on this machine are damaged: coterie rescue saves what can be read",
    Code.NEWER_SCHEMA: "These messages were written by a newer version of coterie",
    Code.MISSING_PART: "A part of coterie is missing on this machine",
    Code.USAGE: "This is not a server address or an invitation link",
    Code.IDENTITY_CHANGED: "STOP: this is not the server of the invitation. Nothing was sent to it",
    Code.LEDGER_SPLIT: "STOP: the server shows different people different truths",
    Code.SEAL_BROKEN: "What the server or this folder holds is damaged or was changed",
}


def refusal_text(code: Code) -> str:
    """The sentence of a form for a refusal."""
    text = _REFUSALS.get(code)
    return FormText.UNEXPECTED.format(code=code.value) if text is None else text
