"""How surely a name was said that somebody called right or wrong: the words can be held against it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("feedback", sa.Column("certainty", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("feedback", "certainty")
