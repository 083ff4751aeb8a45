"""The order in which top-down and round-robin ring agents."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agents") as agents:
        agents.add_column(sa.Column("order", sa.Integer()))


def downgrade() -> None:
    with op.batch_alter_table("agents") as agents:
        agents.drop_column("order")
