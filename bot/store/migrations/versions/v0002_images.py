"""Which images an answer names, so that an edit of its message is told from an edit of its images."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("answer", sa.Column("images", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("answer", "images")
