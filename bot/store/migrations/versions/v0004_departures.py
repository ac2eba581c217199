"""Since when the bot is no longer on a server whose data is kept a while (`privacy.keep_days`)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "departed_guild",
        sa.Column("guild_id", SNOWFLAKE, primary_key=True, autoincrement=False),
        sa.Column("left_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("departed_guild")
