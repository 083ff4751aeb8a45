"""Agents whose phone stays off hook, and agents with a wrap-up of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agents") as agents:
        agents.add_column(sa.Column("permanent", sa.Boolean(), nullable=False, server_default=sa.false()))
        agents.add_column(sa.Column("wrap_up", sa.Float()))


def downgrade() -> None:
    with op.batch_alter_table("agents") as agents:
        agents.drop_column("wrap_up")
        agents.drop_column("permanent")
