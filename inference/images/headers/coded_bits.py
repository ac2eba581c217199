"""Numbers in coded pictures, which may begin and end at any bit."""

from __future__ import annotations

__all__ = ["CodedBits"]

_MOST_EXPONENT = 31


class CodedBits:
    """Reads numbers from the first bit on. Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """Read a number of `count` bits."""
        self._left -= count
        if self._left < 0:
            raise IndexError("past the end")
        return self._data >> self._left & (1 << count) - 1

    def exponential(self) -> int:
        """Read an Exp-Golomb number, which AV1 calls uvlc."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MOST_EXPONENT:
                raise IndexError("a number is too long")
        return (1 << zeros) - 1 + self.take(zeros)
