"""How long things are kept. Policy; `bot.store`'s docstring and the privacy page say the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Retention:
    """How long each kind of row is kept, counted from when it was made."""

    messages: timedelta = timedelta(hours=1)
    """Open messages. A restart looks back ten minutes; an hour leaves room for an owner who sets more."""
    interactions: timedelta = timedelta(minutes=15)
    """Open interactions, with their tokens: Discord honours a token no longer."""
    cursors: timedelta = timedelta(days=1)
    """The last message seen in a channel: what is older than the look-back is as good as nothing."""
    answers: timedelta = timedelta(days=90)
    """Which answer belongs to which picture, so that deleting the picture deletes its answer."""
    feedback: timedelta = timedelta(days=365)
    """What people said of answers."""
    sums: timedelta = timedelta(days=31)
    """How many pictures there were each day: the chart of `/stats` shows 30 days."""
    condemned: timedelta = timedelta(days=30)
    """Hashes of pictures that killed a worker, which processes that share the store tell each other."""
    changes: timedelta = timedelta(days=30)
    """Changes of what a server taught, and what they took away: so long they can be undone."""
