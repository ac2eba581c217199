"""What servers taught: labels, the fingerprints that show what they mean, and changes that can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str, kind: sa.types.TypeEngine[int]) -> sa.Column[int]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "taught_label",
        _key("guild_id", SNOWFLAKE),
        _key("label", sa.Integer()),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=True),
    )
    op.create_table(
        "taught_example",
        _key("guild_id", SNOWFLAKE),
        _key("example", sa.Integer()),
        sa.Column("label", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", SNOWFLAKE, nullable=True),
        sa.Column("channel_id", SNOWFLAKE, nullable=True),
        sa.Column("message_id", SNOWFLAKE, nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=True),
    )
    op.create_index(op.f("ix_taught_example_user_id"), "taught_example", ["user_id"])
    op.create_table(
        "teaching_change",
        _key("guild_id", SNOWFLAKE),
        _key("change", sa.Integer()),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    for table in ("teaching_change", "taught_example", "taught_label"):
        op.drop_table(table)
