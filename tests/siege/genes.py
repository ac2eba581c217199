"""Numbers that decide what a file is like, so that a good file can be changed a little."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Genes"]

Choice = TypeVar("Choice")


class Genes:
    """A list of numbers in [0, 1) that grows as a builder asks for choices: the same list, the same file."""

    def __init__(self, seed: str, numbers: Sequence[float] = ()) -> None:
        self.seed = seed
        self.numbers = list(numbers)
        self._more = random.Random(seed)  # noqa: S311 - seeded, so that a find can be had again
        for _ in self.numbers:
            self._more.random()
        self._next = 0

    def fraction(self) -> float:
        """Return the next number."""
        if self._next == len(self.numbers):
            self.numbers.append(self._more.random())
        self._next += 1
        return self.numbers[self._next - 1]

    def choice(self, options: Sequence[Choice]) -> Choice:
        return options[int(self.fraction() * len(options))]

    def number(self, least: int, most: int) -> int:
        """Return a whole number; 1 to 10 is as likely as 10 to 100."""
        low, high = math.log(least + 1), math.log(most + 2)
        return min(max(int(math.exp(low + self.fraction() * (high - low))) - 1, least), most)

    def chance(self, probability: float) -> bool:
        return self.fraction() < probability

    def bytes(self, count: int) -> bytes:
        """Return `count` random bytes that are always the same for these genes."""
        return random.Random(f"{self.seed}:{self.fraction()}").randbytes(count)  # noqa: S311 - as above

    def changed(self, chance: random.Random) -> Genes:
        """Return a copy with a few numbers changed, a little or altogether."""
        numbers = list(self.numbers)
        for _ in range(chance.choice((1, 1, 2, 3, 5))):
            at = chance.randrange(len(numbers))
            near = numbers[at] + chance.gauss(0, 0.1)
            numbers[at] = min(max(near, 0.0), 0.999999) if chance.random() < 0.6 else chance.random()
        return Genes(self.seed, numbers)
