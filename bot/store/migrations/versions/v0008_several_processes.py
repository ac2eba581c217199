"""What several processes on one store tell each other: condemned pictures, and how much people have used."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "condemned_image",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("condemned_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "quota_use",
        sa.Column("person", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("images_until", sa.BigInteger(), nullable=False),
        sa.Column("core_until", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("quota_use")
    op.drop_table("condemned_image")
