"""The versions of the store's tables, for Alembic; a new one is a file like the last, and `HEAD`.

A version that has been released is never changed again. Its number is four digits, one more than the last: by
that an old Whatsit knows that a store is too new for it.
"""

__all__ = ["HEAD", "VERSION_TABLE"]

HEAD = "0008"
VERSION_TABLE = "whatsit_version"
"""Not Alembic's own name, for a PostgreSQL that Whatsit shares with others."""
