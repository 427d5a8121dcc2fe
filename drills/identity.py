"""Who a browser is: learners, the tokens that name them, and one learner on several devices.

Only hashes of tokens and recovery codes are stored. The functions that take a connection work
within the transaction of their caller, `drills.store`.
"""

import hashlib
import re
import secrets
from datetime import datetime

import sqlalchemy as sa

from drills.errors import CodeRefusedError, DrillsError, LearnerGoneError
from drills.events import LearnerId
from drills.tables import events, learners, tokens

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that reads as something else
_MISREAD = str.maketrans("OIL", "011")
_BETWEEN = re.compile(r"[\s\-–]+")  # what stands between the groups of a code
_CODE_LENGTH, _CODE_GROUP = 25, 5  # 125 bits
_CODE = re.compile(f"[{_ALPHABET}]{{{_CODE_LENGTH}}}")


def new_token() -> str:
    """Return a new name for a browser: 256 random bits in 43 characters fit for a cookie."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether a cookie's value could come from `new_token`."""
    return _TOKEN.fullmatch(text) is not None


def new_code() -> str:
    """Return a new recovery code, as it is typed: five groups of five."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    starts = range(0, _CODE_LENGTH, _CODE_GROUP)
    return "-".join(code[start : start + _CODE_GROUP] for start in starts)


def plain_code(typed: str) -> str:
    """Return a recovery code without what typing adds or misreads.

    Raises:
        CodeRefusedError: no code looks like this.
    """
    code = _BETWEEN.sub("", typed).upper().translate(_MISREAD)
    if not _CODE.fullmatch(code):
        raise code_refused()
    return code


def check_token(token: str) -> None:
    """Refuse a token that does not come from `new_token`."""
    if not is_token(token):
        raise DrillsError(
            "This browser's cookie is not one of ours. Delete the cookies of this site and "
            "reload the page."
        )


def code_refused() -> CodeRefusedError:
    """Return the error for a code that opens nothing."""
    return CodeRefusedError(
        "This recovery code is not known. Compare it with the one you noted; if you made a newer "
        "one since, only that one works."
    )


def gone() -> LearnerGoneError:
    """Return the error for a learner who is not there any more."""
    return LearnerGoneError(
        "The data of this learner were deleted, perhaps in another window. Reload the page to "
        "start anew."
    )


def root_of(learner: LearnerId) -> sa.ScalarSelect[int]:
    """The learner that this one turned out to be, mostly itself."""
    return (
        sa.select(sa.func.coalesce(learners.c.same_as, learners.c.id))
        .where(learners.c.id == learner)
        .scalar_subquery()
    )


def family_of(connection: sa.Connection, learner: LearnerId) -> list[LearnerId]:
    """Return all ids that stand for the same learner, sorted; none if there is no such one."""
    root = root_of(learner)
    ids = sa.select(learners.c.id).where(sa.or_(learners.c.id == root, learners.c.same_as == root))
    return sorted(LearnerId(each) for each in connection.scalars(ids))


def lock(connection: sa.Connection, learner: LearnerId) -> LearnerId:
    """Return who the learner turned out to be, and let nobody else write for them meanwhile.

    So the ids of a learner's events grow in the order in which they can be seen.
    """
    root = connection.scalar(
        sa.select(learners.c.id)
        .where(learners.c.id == root_of(learner))
        .with_for_update(key_share=True)
    )
    if root is None:
        raise gone()
    return LearnerId(root)


def holder(connection: sa.Connection, secret: str, *, kind: str, now: datetime) -> LearnerId | None:
    """Return whose token or code this is, None if nobody's or revoked by now."""
    valid = sa.or_(tokens.c.revoked.is_(None), tokens.c.revoked > now)
    root = connection.scalar(
        sa.select(sa.func.coalesce(learners.c.same_as, learners.c.id))
        .join(tokens, tokens.c.learner == learners.c.id)
        .where(tokens.c.hash == _hash(secret), tokens.c.kind == kind, valid)
    )
    return None if root is None else LearnerId(root)


def create(connection: sa.Connection, token: str, now: datetime) -> LearnerId:
    """Make the learner of a browser that writes for the first time."""
    inserted = sa.insert(learners).values(created=now).returning(learners.c.id)
    learner = LearnerId(connection.execute(inserted).scalar_one())
    add_token(connection, learner, token, kind="cookie", now=now)
    return learner


def add_token(
    connection: sa.Connection, learner: LearnerId, secret: str, *, kind: str, now: datetime
) -> None:
    """Let a token or a recovery code (`kind` cookie or recovery) stand for a learner."""
    row = {"learner": learner, "kind": kind, "hash": _hash(secret), "created": now}
    connection.execute(sa.insert(tokens).values(row))


def end_codes(connection: sa.Connection, family: list[LearnerId], now: datetime) -> None:
    """End the recovery codes that were valid until now."""
    current = sa.and_(
        tokens.c.learner.in_(family), tokens.c.kind == "recovery", tokens.c.revoked.is_(None)
    )
    connection.execute(sa.update(tokens).where(current).values(revoked=now))


def move(
    connection: sa.Connection, token: str, root: LearnerId, *, now: datetime, bring: bool
) -> int:
    """Give the browser with this token to another learner; return how many events it brings."""
    own = holder(connection, token, kind="cookie", now=now)
    if own is None:
        add_token(connection, root, token, kind="cookie", now=now)
        return 0
    if own == root:
        return 0
    if bring:
        return _merge(connection, own, root)
    connection.execute(sa.update(tokens).where(tokens.c.hash == _hash(token)).values(learner=root))
    return 0


def _merge(connection: sa.Connection, own: LearnerId, root: LearnerId) -> int:
    """Make `own` and all it stands for another name of `root`; return how many events it had."""
    family = family_of(connection, own)
    connection.execute(sa.update(learners).where(learners.c.id.in_(family)).values(same_as=root))
    count = sa.select(sa.func.count()).select_from(events).where(events.c.learner.in_(family))
    return connection.scalar(count) or 0


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
