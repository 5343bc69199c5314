"""Where profiles lie: HOME/profiles/NAME@first 8 hex digits of the server's founding id."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import msgspec
import platformdirs

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import AccountId, UserName
from coterie.client.store.faults import file_fault

HOME_VARIABLE = "COTERIE_HOME"
FOLDER_MODE = 0o700
FILE_MODE = 0o600
_PROFILES = "profiles"


class ProfilePlace(msgspec.Struct, frozen=True):
    """The folder of one profile. name: the part before the "@"."""

    folder: Path
    name: str

    def is_on(self, server: AccountId) -> bool:
        """Whether this is a profile on the server with that founding identity."""
        return self.folder.name.endswith(_suffix(server))

    @property
    def key_file(self) -> Path:
        return self.folder / "keys"

    @property
    def database(self) -> Path:
        return self.folder / "store.db"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"


def default_home() -> Path:
    """$COTERIE_HOME, else the platform's folder for a user's data."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("coterie", appauthor=False)


def profiles(home: Path) -> tuple[ProfilePlace, ...]:
    """Every profile of a home, by folder name. A folder without a key file is none: a sign-up died early."""
    try:
        folders = sorted((home / _PROFILES).iterdir())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise file_fault(error, "the folder of profiles") from error
    places = (ProfilePlace(folder, _name_of(folder)) for folder in folders)
    return tuple(place for place in places if place.key_file.is_file())


def find_profile(home: Path, wanted: str | None) -> ProfilePlace:
    """The profile of that name, or whose whole folder name it is; without a name the only one.

    Raises Refused: no-profile, or usage where several would do.
    """
    found = profiles(home)
    if wanted is not None:
        name = unicodedata.normalize("NFC", wanted)
        found = tuple(place for place in found if name in (place.name, _plain(place.folder)))
    if not found:
        raise Refused(Code.NO_PROFILE, "this home holds no such profile")
    if len(found) > 1:
        several = "this home holds several profiles: name one of them"
        again = "several profiles have this name: give the whole name, with what follows the @"
        raise Refused(Code.USAGE, several if wanted is None else again)
    return found[0]


def new_profile(home: Path, name: UserName, server: AccountId) -> ProfilePlace:
    """Make the folder of a profile; one without a key file, left by a sign-up that died, is used again.

    Two processes may be given the same folder: who has its lock asks require_new() first.

    Raises Refused(profile-exists), Unavailable(disk).
    """
    place = ProfilePlace(home / _PROFILES / f"{name}{_suffix(server)}", name)
    require_new(place)
    try:
        home.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for folder in (place.folder.parent, place.folder):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            folder.chmod(FOLDER_MODE)
            sync_folder(folder.parent)
    except OSError as error:
        raise file_fault(error, "the folder of the profile") from error
    return place


def require_new(place: ProfilePlace) -> None:
    """Raises Refused(profile-exists) where the folder holds a key file."""
    if place.key_file.exists():
        raise Refused(Code.PROFILE_EXISTS, "this home holds a profile of this name on this server")


def remove_profile(place: ProfilePlace) -> None:
    """Delete a profile that nobody has open, its keys first: what is left then is unreadable."""
    try:
        place.key_file.unlink(missing_ok=True)
        if place.folder.exists():
            sync_folder(place.folder)
            shutil.rmtree(place.folder)
    except OSError as error:
        raise file_fault(error, "the folder of the profile") from error


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can (Windows has no such call)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _suffix(server: AccountId) -> str:
    return f"@{server.hex()[:8]}"


def _plain(folder: Path) -> str:
    """Some file systems take names apart into base letters and accents."""
    return unicodedata.normalize("NFC", folder.name)


def _name_of(folder: Path) -> str:
    return _plain(folder).rpartition("@")[0] or _plain(folder)
