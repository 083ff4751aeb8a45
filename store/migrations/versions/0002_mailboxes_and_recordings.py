"""Mailboxes that are opened by phone, notices by e-mail, greetings, retention, and the index of recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mailboxes") as mailboxes:
        mailboxes.add_column(sa.Column("keep_days", sa.Integer()))
        mailboxes.add_column(sa.Column("phones", sa.JSON(), nullable=False, server_default="[]"))
        mailboxes.add_column(sa.Column("wrong_pins", sa.Integer(), nullable=False, server_default="0"))
        mailboxes.add_column(sa.Column("locked_until", sa.DateTime(timezone=True)))
    with op.batch_alter_table("messages") as messages:
        messages.add_column(sa.Column("dropped", sa.DateTime(timezone=True)))
    op.create_table(
        "greetings",
        sa.Column("box", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["box"], ["mailboxes.name"], name="fk_greetings_box"),
        sa.PrimaryKeyConstraint("box", "language", name="pk_greetings"),
    )
    op.create_table(
        "notices",
        sa.Column("message", sa.String(36), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message"], ["messages.id"], name="fk_notices_message"),
        sa.PrimaryKeyConstraint("message", name="pk_notices"),
    )
    op.create_index("ix_notices_due", "notices", ["due"])
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("agent", sa.String(32), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_recordings"),
    )
    op.create_index("ix_recordings_call", "recordings", ["call"])
    op.create_index("ix_recordings_started", "recordings", ["started"])
    op.create_index("ix_recordings_keep_until", "recordings", ["keep_until"])


def downgrade() -> None:
    for table in ("recordings", "notices", "greetings"):
        op.drop_table(table)
    with op.batch_alter_table("messages") as messages:
        messages.drop_column("dropped")
    with op.batch_alter_table("mailboxes") as mailboxes:
        for column in ("locked_until", "wrong_pins", "phones", "keep_days"):
            mailboxes.drop_column(column)
