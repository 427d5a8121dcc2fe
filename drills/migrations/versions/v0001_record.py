"""Learners, their tokens, and the events of their record, which nobody can change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)

# Events cannot be changed, and are deleted only together with their learner.
_SQLITE_GUARDS = (
    """
    CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
    """,
    """
    CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
    WHEN EXISTS (SELECT 1 FROM learners WHERE id = OLD.learner)
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END
    """,
)
_POSTGRESQL_GUARDS = (
    """
    CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM learners WHERE id = OLD.learner) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'events are append-only';
    END $$
    """,
    """
    CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_are_append_only()
    """,
)


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_learners()
    _make_tokens()
    _make_events()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in _SQLITE_GUARDS if sqlite else _POSTGRESQL_GUARDS:
        op.execute(guard)


def _make_learners() -> None:
    op.create_table(
        "learners",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("same_as", _ID, sa.ForeignKey("learners.id", ondelete="CASCADE")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_learners_same_as", "learners", ["same_as"])


def _make_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("learner", _ID, sa.ForeignKey("learners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("revoked", _MOMENT),
    )
    op.create_index("ix_tokens_learner", "tokens", ["learner"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("learner", _ID, sa.ForeignKey("learners.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("item", sa.String(200), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("nonce", sa.String(100), nullable=False),
        sa.UniqueConstraint("learner", "nonce", name="events_learner_nonce"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_learner_id", "events", ["learner", "id"])
    op.create_index("events_learner_kind_item", "events", ["learner", "kind", "item"])
