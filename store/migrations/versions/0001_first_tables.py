"""Agents, mailboxes, messages, interactions, and how far the journal was folded."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("password", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("phone", name="uq_agents_phone"),
    )
    op.create_table(
        "mailboxes",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("message_limit", sa.Integer(), nullable=False),
        sa.Column("pin_hash", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="pk_mailboxes"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("box", sa.String(64), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('new', 'heard', 'saved')", name="ck_messages_state"),
        sa.ForeignKeyConstraint(["box"], ["mailboxes.name"], name="fk_messages_box"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("call", "visit", name="uq_messages_call_visit"),
    )
    op.create_index("ix_messages_box_received", "messages", ["box", "received"])
    op.create_table(
        "interactions",
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True)),
        sa.Column("answered", sa.DateTime(timezone=True)),
        sa.Column("ended", sa.DateTime(timezone=True)),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("dialled", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("queued", sa.DateTime(timezone=True)),
        sa.Column("agent", sa.String(32), nullable=False),
        sa.Column("waited_ms", sa.BigInteger()),
        sa.Column("talked_ms", sa.BigInteger()),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_interactions"),
    )
    op.create_index("ix_interactions_started", "interactions", ["started"])
    op.create_index("ix_interactions_caller_started", "interactions", ["caller", "started"])
    op.create_table(
        "folds",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_folds"),
    )


def downgrade() -> None:
    for table in ("folds", "interactions", "messages", "mailboxes", "agents"):
        op.drop_table(table)
