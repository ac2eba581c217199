"""The messages about pictures that can be found again; `inference.knowledge.protocol` has the others.

`version` counts how often a server's index was given up, and `places` are the ids of channels.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from inference.frames import FramedMessage
from inference.results import HASH_BYTES

MOST_IMAGES = 10_000
"""Pictures in one message."""
MOST_FOUND = 1000
MOST_PLACES = 5000
FINGERPRINT_BYTES = 8192

Kind = Annotated[str, Field(min_length=1, max_length=100)]
FingerprintSize = Annotated[int, Field(ge=1, le=FINGERPRINT_BYTES)]
Messages = Annotated[tuple[int, ...], Field(max_length=MOST_IMAGES)]
Positions = Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(max_length=MOST_IMAGES)]
Places = Annotated[tuple[int, ...], Field(max_length=MOST_PLACES)]


class ImageColumns(FramedMessage):
    """Pictures, a place in each tuple.

    Their fingerprints, of `size` bytes each, follow a request, and then the hashes of those that have one.
    """

    messages: Messages
    positions: Positions
    places: Messages
    hashed: Annotated[tuple[bool, ...], Field(max_length=MOST_IMAGES)]
    size: FingerprintSize

    @property
    def bytes(self) -> int:
        """How many bytes follow."""
        return len(self.messages) * self.size + sum(self.hashed) * HASH_BYTES


class FillIndexRequest(FramedMessage):
    """Take some pictures of a server's index. `begin`: they are the first, `end`: they are the last."""

    task: Literal["fill"] = "fill"
    id: int = 0
    server: int
    kind: Kind
    version: int
    images: ImageColumns
    begin: bool = False
    end: bool = False


class AddImagesRequest(FramedMessage):
    """Add pictures to the index of a server, if it is there."""

    task: Literal["add"] = "add"
    id: int = 0
    server: int
    kind: Kind
    version: int
    images: ImageColumns


class RemoveMessagesRequest(FramedMessage):
    """Take the pictures of messages out of the index of a server, if it is there."""

    task: Literal["remove"] = "remove"
    id: int = 0
    server: int
    messages: Messages


class FindRequest(FramedMessage):
    """Return the pictures of `places` that look like one: its fingerprint follows, and its hash if `hashed`.

    `hashed` asks for those whose perceptual hash is nearly the same, too.
    """

    task: Literal["find"] = "find"
    id: int = 0
    server: int
    kind: Kind
    version: int
    places: Places
    count: Annotated[int, Field(ge=1, le=MOST_FOUND)]
    hashed: bool = False
    size: FingerprintSize

    @property
    def bytes(self) -> int:
        """How many bytes follow."""
        return self.size + self.hashed * HASH_BYTES


class RankRequest(FramedMessage):
    """Compare one picture with `count` others by their whole fingerprints, which follow, the one first."""

    task: Literal["rank"] = "rank"
    id: int = 0
    count: Annotated[int, Field(ge=1, le=MOST_FOUND)]
    size: FingerprintSize

    @property
    def bytes(self) -> int:
        """How many bytes follow."""
        return (1 + self.count) * self.size


class ForgetIndexRequest(FramedMessage):
    """Give up what is known of a server's pictures before this version."""

    task: Literal["forget_index"] = "forget_index"
    id: int = 0
    server: int
    version: int


class FoundReply(FramedMessage):
    """The candidates by fingerprint, best first, and those whose hashes are nearly the same: messages and
    positions of pictures."""

    task: Literal["found"] = "found"
    id: int
    messages: Annotated[tuple[int, ...], Field(max_length=MOST_FOUND)]
    positions: Annotated[tuple[NonNegativeInt, ...], Field(max_length=MOST_FOUND)]
    same_messages: Annotated[tuple[int, ...], Field(max_length=MOST_FOUND)] = ()
    same_positions: Annotated[tuple[NonNegativeInt, ...], Field(max_length=MOST_FOUND)] = ()


class RankedReply(FramedMessage):
    """The cosine of each picture to the one, in the order of the request."""

    task: Literal["ranked"] = "ranked"
    id: int
    cosines: Annotated[tuple[Annotated[float, Field(ge=-1.01, le=1.01)], ...], Field(max_length=MOST_FOUND)]


IndexRequest = (
    FillIndexRequest
    | AddImagesRequest
    | RemoveMessagesRequest
    | FindRequest
    | RankRequest
    | ForgetIndexRequest
)
IndexReply = FoundReply | RankedReply
