"""The tables, one class each; an instance is one row. `migrations` builds what is written here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, Dialect, Index, Integer, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment, kept as whole milliseconds since 1970 in UTC: the same in both databases, and it sorts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


# SQLite makes a column the row's own address, without a second index, only if its type is INTEGER.
SNOWFLAKE = BigInteger().with_variant(Integer(), "sqlite")

Snowflake = Annotated[int, mapped_column(SNOWFLAKE)]
Key = Annotated[int, mapped_column(SNOWFLAKE, primary_key=True, autoincrement=False)]


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """What all tables have in common."""

    metadata = MetaData(
        naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
    )
    type_annotation_map = {datetime: Instant}  # noqa: RUF012 - SQLAlchemy's own name


class Choice(Base):
    """One field that somebody changed; what is not here is the default."""

    __abstract__ = True

    field: Mapped[str] = mapped_column(String(40), primary_key=True, sort_order=1)
    value: Mapped[Any] = mapped_column(JSON, sort_order=2)


class GuildSetting(Choice):
    """Changed by a moderator, for a server."""

    __tablename__ = "guild_setting"

    guild_id: Mapped[Key]


class MemberPreference(Choice):
    """Changed by a member, for themself."""

    __tablename__ = "member_preference"

    user_id: Mapped[Key]


class OpenMessage(Base):
    """A message whose images were accepted and are not answered yet.

    `user_id` is its author, or who asked about it. `asked`: somebody asked (a mention, a reaction); else the
    channel is watched. `guild_id` is None in direct messages.
    """

    __tablename__ = "open_message"

    message_id: Mapped[Key]
    channel_id: Mapped[Snowflake]
    guild_id: Mapped[Snowflake | None]
    user_id: Mapped[Snowflake]
    asked: Mapped[bool]
    accepted_at: Mapped[datetime] = mapped_column(index=True)


class OpenInteraction(Base):
    """An interaction that was deferred and is not answered yet.

    `token` lets its response be edited for 15 minutes. `response_id` is the deferred response's message, once
    it is known. `images` holds, for each image, what is needed to fetch and show it again; `options` what was
    asked for (top, locale, ...): numbers, yes or no, and names, never what a person wrote.
    """

    __tablename__ = "open_interaction"

    interaction_id: Mapped[Key]
    application_id: Mapped[Snowflake]
    token: Mapped[str]
    response_id: Mapped[Snowflake | None]
    channel_id: Mapped[Snowflake | None]
    guild_id: Mapped[Snowflake | None]
    user_id: Mapped[Snowflake]
    images: Mapped[Any] = mapped_column(JSON)
    options: Mapped[Any] = mapped_column(JSON)
    accepted_at: Mapped[datetime] = mapped_column(index=True)


class StoredAnswer(Base):
    """A message of Whatsit's that answers another message; a merged answer has a row for each of its sources.

    `channel_id` is the answer's own channel, `user_id` who asked. An id tells when its message was made.
    `images`: a fingerprint of the addresses of the images that it names, where that is known.
    """

    __tablename__ = "answer"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own name

    source_id: Mapped[Key]
    answer_id: Mapped[Key] = mapped_column(index=True)
    channel_id: Mapped[Snowflake]
    guild_id: Mapped[Snowflake | None]
    user_id: Mapped[Snowflake]
    images: Mapped[int | None] = mapped_column(BigInteger, default=None)


class Cursor(Base):
    """The last message seen in a channel or thread."""

    __tablename__ = "cursor"

    channel_id: Mapped[Key]
    guild_id: Mapped[Snowflake] = mapped_column(index=True)
    message_id: Mapped[Snowflake]


class DepartedGuild(Base):
    """A server that the bot has left, and whose data is kept for a while. `left_at`: when that was seen."""

    __tablename__ = "departed_guild"

    guild_id: Mapped[Key]
    left_at: Mapped[datetime]


class Feedback(Base):
    """ "Was this right?", answered by one person for one image of one answer.

    `image` counts from 0. `label` is what Whatsit said, `certainty` how surely ("sure", "probably", "maybe",
    "not_sure"; None before that was kept); `said` is what the person says it is, else None.
    """

    __tablename__ = "feedback"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own name

    answer_id: Mapped[Key]
    image: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    user_id: Mapped[Key]
    guild_id: Mapped[Snowflake | None] = mapped_column(index=True)
    model: Mapped[str]
    label: Mapped[str]
    right: Mapped[bool]
    said: Mapped[str | None]
    certainty: Mapped[str | None]


class DailySum(Base):
    """How many pictures of one kind a server had on one day; it holds no id of a person, channel or message.

    `day` counts from 1970-01-01, in UTC. `kind` says what `name` is: nothing for "picture", which counts all
    that were named; how surely for "certainty", as in `Feedback`; and what was said, in English, for "name".
    """

    __tablename__ = "daily_sum"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own name

    guild_id: Mapped[Key]
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, index=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class IndexedImage(Base):
    """A picture that can be found again. `position` counts the pictures of its message from 0.

    `channel_id` is where the message is, `place_id` the channel whose readers may find it (of a thread its
    channel), and `listed_id` what a moderator listed: that channel, or its category. `user_id` is who posted
    it. `kind` is `ModelInfo.fingerprints`: those of two kinds have nothing in common. `coarse` and `fine` are
    what it was called, in English, as an everyday name and as the model's own; None where that is in doubt.
    `taught` is the number of the server's own label.
    """

    __tablename__ = "indexed_image"
    __table_args__ = (
        Index("ix_indexed_image_coarse", "guild_id", "coarse"),
        Index("ix_indexed_image_fine", "guild_id", "fine"),
        Index("ix_indexed_image_place", "guild_id", "place_id"),
    )

    message_id: Mapped[Key]
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    guild_id: Mapped[Snowflake]
    channel_id: Mapped[Snowflake] = mapped_column(index=True)
    place_id: Mapped[Snowflake]
    listed_id: Mapped[Snowflake]
    user_id: Mapped[Snowflake] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(60))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    perceptual_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    coarse: Mapped[str | None] = mapped_column(String(100))
    fine: Mapped[str | None] = mapped_column(String(100))
    taught: Mapped[int | None] = mapped_column(Integer)


class Backfill(Base):
    """A channel whose past is being read into the index, the newest messages first.

    `before_id`: what is older is still to be read. `messages` and `images` count what was read and found so
    far. `state` is "running", "stopped" or "done". The progress is shown in a message of Whatsit's own.
    """

    __tablename__ = "backfill"

    channel_id: Mapped[Key]
    guild_id: Mapped[Snowflake] = mapped_column(index=True)
    before_id: Mapped[Snowflake]
    messages: Mapped[int] = mapped_column(Integer)
    images: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    progress_channel_id: Mapped[Snowflake]
    progress_message_id: Mapped[Snowflake]
    language: Mapped[str] = mapped_column(String(12))


class TaughtLabel(Base):
    """A word that a server taught Whatsit. `label` is its number in the server, drawn at random.

    `removed` is the change that took it away, as long as that can be undone; None while the word is in use.
    """

    __tablename__ = "taught_label"

    guild_id: Mapped[Key]
    label: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(50))
    removed: Mapped[int | None] = mapped_column(Integer, default=None)


class TaughtExample(Base):
    """The fingerprint of a picture that shows what a label means, or with `label` None "none of these".

    `example` is its number in the server. `kind` is `ModelInfo.fingerprints`: those of two kinds have nothing
    in common. `user_id` is whose picture it was, `channel_id` and `message_id` where it can be seen, None
    where that is not known. `removed` as in `TaughtLabel`.
    """

    __tablename__ = "taught_example"

    guild_id: Mapped[Key]
    example: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    label: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(60))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    user_id: Mapped[Snowflake | None] = mapped_column(index=True)
    channel_id: Mapped[Snowflake | None]
    message_id: Mapped[Snowflake | None]
    made_at: Mapped[datetime]
    removed: Mapped[int | None] = mapped_column(Integer, default=None)


class TeachingChange(Base):
    """A change of what a server taught, with what is needed to undo it; nothing of who made it.

    `change` counts up in the server. `what` is "teach", "rename", "merge", "remove" or "import", and `detail`
    holds numbers of labels and examples, and names.
    """

    __tablename__ = "teaching_change"

    guild_id: Mapped[Key]
    change: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(String(20))
    detail: Mapped[Any] = mapped_column(JSON)
    made_at: Mapped[datetime]


class CondemnedImage(Base):
    """A picture that killed a worker, by a hash of its bytes under a key of the store, and why it is refused.

    There are some only where several processes share the store.
    """

    __tablename__ = "condemned_image"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[str] = mapped_column(String(300))
    condemned_at: Mapped[datetime]


class QuotaUse(Base):
    """How much of the owner's limits a person has used on all shards.

    There are some only where several processes share the store. `person` is a hash of the person's id under a
    key of the store. What was used leaks away, so it is kept as the moment from which nothing of it is left:
    `images_until` for images, `core_until` for the processor.
    """

    __tablename__ = "quota_use"

    person: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    images_until: Mapped[datetime]
    core_until: Mapped[datetime]


class Meta(Base):
    """Small things Whatsit remembers of itself, such as the hash of the commands it last gave Discord."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]
