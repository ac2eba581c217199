"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, SNOWFLAKE, primary_key=True, autoincrement=False)


def _id(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, SNOWFLAKE, nullable=optional)


def upgrade() -> None:
    for table, key in (("guild_setting", "guild_id"), ("member_preference", "user_id")):
        op.create_table(
            table,
            _key(key),
            sa.Column("field", sa.String(40), primary_key=True),
            sa.Column("value", sa.JSON(), nullable=False),
        )
    op.create_table(
        "open_message",
        _key("message_id"),
        _id("channel_id"),
        _id("guild_id", optional=True),
        _id("user_id"),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "open_interaction",
        _key("interaction_id"),
        _id("application_id"),
        sa.Column("token", sa.String(), nullable=False),
        _id("response_id", optional=True),
        _id("channel_id", optional=True),
        _id("guild_id", optional=True),
        _id("user_id"),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "answer",
        _key("source_id"),
        _key("answer_id"),
        _id("channel_id"),
        _id("guild_id", optional=True),
        _id("user_id"),
        sqlite_with_rowid=False,
    )
    op.create_table("cursor", _key("channel_id"), _id("guild_id"), _id("message_id"))
    op.create_table(
        "feedback",
        _key("answer_id"),
        sa.Column("image", sa.Integer(), primary_key=True, autoincrement=False),
        _key("user_id"),
        _id("guild_id", optional=True),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("said", sa.String(), nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
    )
    for table, column in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


_INDEXES = (
    ("open_message", "accepted_at"),
    ("open_interaction", "accepted_at"),
    ("answer", "answer_id"),
    ("cursor", "guild_id"),
    ("feedback", "guild_id"),
)
_TABLES = (
    *("guild_setting", "member_preference", "open_message", "open_interaction"),
    *("answer", "cursor", "feedback", "meta"),
)
