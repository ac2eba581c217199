"""Everything that outlives a restart, in one SQLite file or a PostgreSQL.

What is kept, why, and until when (`bot.store.retention`); never an image, a message's text, or a name:

- a server's settings: a moderator set them; until reset, or the bot leaves the server;
- a member's preferences: the member set them; until reset or erased;
- open messages (ids of server, channel, message, and who asked): no image is forgotten when Whatsit crashes;
  until answered, at most an hour;
- open interactions (the same ids, token, addresses of the images, what was asked for): likewise; until
  answered, at most 15 minutes;
- the last message seen in a channel (ids): a restart knows where it left off; a day;
- answers (ids of source, answer, channel, server, and who asked; a fingerprint of the images' addresses): a
  picture that is deleted takes its answer along, and one that is added is named too; 90 days;
- opinions on answers (ids, label, how sure, yes or no, up to 100 characters of "what is it?"): moderators
  (`/settings feedback`) and the owner (`whatsit feedback`) see how often it is right; 365 days;
- daily sums (server, day, how many pictures, how many of each name and certainty; no id of a person, channel
  or message): the chart of `/stats`; 31 days, and none where a server turns them off;
- notes of the bot's own (a hash of its commands; how often Discord refused it; the key that signs its
  buttons): no needless work at a start, an owner who can see what is wrong, and buttons that outlive a
  restart; until the next, the key for ever.

`Store.erase_user`, `Store.erase_guild` and `Store.erase_channel` delete all of one person, server or channel;
`bot.cogs.erasing` calls the last two when Discord says that it is gone. SQLite overwrites what it
deletes; its write-ahead log may hold a copy until that part of it is used again. New data means a line here,
a deletion in `store.py`, and a retention, in the same change.

A write that has returned outlives the death of the process, `kill -9` too. A power cut may cost SQLite the
last moments, never more; PostgreSQL not even those.
"""

from bot.store.faults import StoreDamaged, StoreError, StoreTooNew, StoreUnavailable
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
    "StoreTooNew",
    "StoreUnavailable",
    "StoredAnswer",
    "defaults",
    "difference",
    "from_json",
    "to_json",
    "without_gone",
]
