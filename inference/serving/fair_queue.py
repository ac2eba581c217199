"""A queue in which no group can make the others wait for more than its share of the work."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cachetools import LRUCache

T = TypeVar("T", bound=Hashable)

FIRST_ESTIMATE = 0.05
"""Core-seconds that an item is taken to cost in a group that nothing is known of."""

WEIGHT_OF_LAST = 0.25
"""How much a group's last item counts in the estimate of its next one."""

MOST_BEHIND = 30.0
"""Core-seconds by which a group that waits can be behind the others, so that it is not left out for ever."""

GROUPS = 4096
"""Groups that are remembered while they have nothing in the queue."""

_NO_GROUP = object()
"""Because None is a group."""


@dataclass(slots=True)
class GroupAccount(Generic[T]):
    """The items of a group that wait, what it has used so far, and what its next item may cost.

    Both are core-seconds; `used` begins where the group served last then stood.
    """

    used: float
    estimate: float = FIRST_ESTIMATE
    items: OrderedDict[T, None] = field(default_factory=OrderedDict)  # because one may leave from the middle


class FairQueue(Generic[T]):
    """Serves the group first that has used the least, and in each group the oldest item.

    What an item costs is known only afterwards: `pop` charges an estimate, and `charge` corrects it. A group
    that comes back after a pause starts level with the one that was served last, and so can save nothing up.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[Hashable, GroupAccount[T]] = OrderedDict()
        self._known: LRUCache[Hashable, GroupAccount[T]] = LRUCache(GROUPS)
        self._level = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, item: T, group: Hashable, *, first: bool = False) -> None:
        """Add the item as the last of its group, or as the first."""
        account = self._waiting.get(group)
        if account is None:
            account = self._known.get(group) or GroupAccount(self._level)
            account.used = min(max(account.used, self._level), self._level + MOST_BEHIND)
            self._known[group] = self._waiting[group] = account
        account.items[item] = None
        if first:
            account.items.move_to_end(item, last=False)

    def remove(self, item: T, group: Hashable) -> None:
        """Take the item out, if it is there."""
        account = self._waiting.get(group)
        if account is not None:
            account.items.pop(item, None)
            if not account.items:
                del self._waiting[group]

    def first(self, *, without: Collection[Hashable] = ()) -> T | None:
        """Return the item that `pop` would take, None where there is none."""
        group = self._next(without)
        return None if group is _NO_GROUP else next(iter(self._waiting[group].items))

    def pop(self, *, without: Collection[Hashable] = ()) -> tuple[T, float]:
        """Take the oldest item of the group that has used the least; of several, the one not served longest.

        The groups in `without` have to wait. Returns the item and the core-seconds that its group is charged
        until more is known. Raises LookupError where there is none.
        """
        group = self._next(without)
        if group is _NO_GROUP:
            raise LookupError("There is no item that may be taken.")
        account = self._waiting[group]
        self._level = max(self._level, account.used)
        account.used += account.estimate
        item, _ = account.items.popitem(last=False)
        del self._waiting[group]
        if account.items:
            self._waiting[group] = account
        return item, account.estimate

    def _next(self, without: Collection[Hashable]) -> Hashable:
        """Return the group whose turn it is, `_NO_GROUP` where there is none."""
        groups = (group for group in self._waiting if group not in without)
        return min(groups, key=lambda group: self._waiting[group].used, default=_NO_GROUP)

    def put_back(self, item: T, group: Hashable, *, estimate: float) -> None:
        """Add an item as the first of its group, and the group as the first of its equals, as if it had not
        been taken."""
        account = self._known.get(group)
        # Rounded, or groups that had used the same would no longer be equals.
        used = round(account.used - estimate, 9) if account else self._level
        self.put(item, group, first=True)
        self._waiting[group].used = used  # `put` takes it for one that comes back after a pause
        self._waiting.move_to_end(group, last=False)

    def charge(self, group: Hashable, core_seconds: float, *, estimate: float) -> None:
        """Charge what an item really took in place of the `estimate` that came with it."""
        account = self._known.get(group)
        if account is not None:
            account.used += core_seconds - estimate
            account.estimate += WEIGHT_OF_LAST * (core_seconds - account.estimate)

    def forget(self, group: Hashable) -> None:
        """Forget what a group has used, unless items of it wait."""
        if group not in self._waiting:
            self._known.pop(group, None)

    def clear(self) -> None:
        """Take all items out. What the groups have used stays known."""
        for account in self._waiting.values():
            account.items.clear()
        self._waiting.clear()
