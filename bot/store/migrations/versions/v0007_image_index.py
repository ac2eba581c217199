"""Pictures that can be found again, and the channels whose past is being read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "indexed_image",
        sa.Column("message_id", SNOWFLAKE, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("guild_id", SNOWFLAKE, nullable=False),
        sa.Column("channel_id", SNOWFLAKE, nullable=False),
        sa.Column("place_id", SNOWFLAKE, nullable=False),
        sa.Column("listed_id", SNOWFLAKE, nullable=False),
        sa.Column("user_id", SNOWFLAKE, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("perceptual_hash", sa.LargeBinary()),
        sa.Column("coarse", sa.String(100)),
        sa.Column("fine", sa.String(100)),
        sa.Column("taught", sa.Integer()),
    )
    op.create_index(op.f("ix_indexed_image_channel_id"), "indexed_image", ["channel_id"])
    op.create_index(op.f("ix_indexed_image_user_id"), "indexed_image", ["user_id"])
    for column in ("coarse", "fine"):
        op.create_index(op.f(f"ix_indexed_image_{column}"), "indexed_image", ["guild_id", column])
    op.create_index(op.f("ix_indexed_image_place"), "indexed_image", ["guild_id", "place_id"])
    op.create_table(
        "backfill",
        sa.Column("channel_id", SNOWFLAKE, primary_key=True, autoincrement=False),
        sa.Column("guild_id", SNOWFLAKE, nullable=False),
        sa.Column("before_id", SNOWFLAKE, nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("progress_channel_id", SNOWFLAKE, nullable=False),
        sa.Column("progress_message_id", SNOWFLAKE, nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
    )
    op.create_index(op.f("ix_backfill_guild_id"), "backfill", ["guild_id"])


def downgrade() -> None:
    op.drop_table("backfill")
    op.drop_table("indexed_image")
