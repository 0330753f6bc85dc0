"""What can go wrong with a database before the first query; every message tells the way out."""


class DatabaseUnavailable(Exception):
    """The database cannot be used."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class BinariesMissing(DatabaseUnavailable):
    """The PostgreSQL programs are not installed here; run `make setup`, or set DATABASE_URL."""


class FolderInUse(DatabaseUnavailable):
    """Another Flowdesk already runs on this data folder."""


class FolderUnusable(DatabaseUnavailable):
    """The data folder cannot be used; set FLOWDESK_DATA to one that can."""


class OtherMajor(FolderUnusable):
    """The data folder was made by another major version of PostgreSQL."""


class StartFailed(DatabaseUnavailable):
    """PostgreSQL did not start."""


class StartCalledOff(StartFailed):
    """Starting PostgreSQL was called off."""


class RoleRefused(DatabaseUnavailable):
    """A database role given to Flowdesk is too strong, too weak or of the wrong kind."""


class ServerTooOld(DatabaseUnavailable):
    """Flowdesk needs PostgreSQL 15 or newer."""
