"""Everything that outlives a restart, in one SQLite file or a PostgreSQL.

`docs/privacy.md` says of each table what is kept, why, and until when (`bot.store.retention`): never an
image, a message's text, or a name. `bot.store.personal_data` finds by its columns whose a row is. New data
means a row on that page and a retention, in the same change.

A write that has returned outlives the death of the process, `kill -9` too. A power cut may cost SQLite the
last moments, never more; PostgreSQL not even those.
"""

from bot.store.faults import StoreDamaged, StoreError, StoreOfAnotherBot, StoreTooNew, StoreUnavailable
from bot.store.guild_settings import BUTTONS, FIELDS, PAGE_TITLES, PAGES, PER_MINUTE, GuildSettings, defaults
from bot.store.member_preferences import MemberPreferences
from bot.store.retention import Retention
from bot.store.settings_file import (
    Existing,
    InvalidSettings,
    SettingChange,
    SettingFault,
    difference,
    from_json,
    to_json,
    without_gone,
)
from bot.store.store import Store
from bot.store.tables import Feedback, OpenInteraction, OpenMessage, StoredAnswer

__all__ = [
    "BUTTONS",
    "FIELDS",
    "PAGES",
    "PAGE_TITLES",
    "PER_MINUTE",
    "Existing",
    "Feedback",
    "GuildSettings",
    "InvalidSettings",
    "MemberPreferences",
    "OpenInteraction",
    "OpenMessage",
    "Retention",
    "SettingChange",
    "SettingFault",
    "Store",
    "StoreDamaged",
    "StoreError",
    "StoreOfAnotherBot",
    "StoreTooNew",
    "StoreUnavailable",
    "StoredAnswer",
    "defaults",
    "difference",
    "from_json",
    "to_json",
    "without_gone",
]
