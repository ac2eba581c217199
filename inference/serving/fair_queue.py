"""A queue in which no group can make the others wait for more than its turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

T = TypeVar("T", bound=Hashable)


class FairQueue(Generic[T]):
    """Serves groups in turn, and in each the oldest item first. Every operation takes constant time."""

    def __init__(self) -> None:
        # Ordered dictionaries, because an item may leave from the middle.
        self._groups: OrderedDict[Hashable, OrderedDict[T, None]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._groups)

    def put(self, item: T, group: Hashable) -> None:
        """Add the item as the last of its group."""
        self._groups.setdefault(group, OrderedDict())[item] = None

    def remove(self, item: T, group: Hashable) -> None:
        """Take the item out, if it is there."""
        items = self._groups.get(group)
        if items is not None:
            items.pop(item, None)
            if not items:
                del self._groups[group]

    def pop(self) -> T:
        """Take the oldest item of the group whose turn it is. Raises KeyError where there is none."""
        group, items = self._groups.popitem(last=False)
        item, _ = items.popitem(last=False)
        if items:
            self._groups[group] = items
        return item
