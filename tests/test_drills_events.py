"""What an event can say, and that what was written once can be read for good."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from drills.errors import DrillsError
from drills.events import (
    KINDS,
    MAX_NOTE,
    MAX_TEXT,
    Answered,
    Attempted,
    Event,
    Exported,
    LearnerId,
    Noted,
    Payload,
    Predicted,
    Preferred,
    Queued,
    Ran,
    Read,
    Repredicted,
    Reviewed,
    SelfGraded,
    Stepped,
    Suspended,
    Unreviewed,
    Unsuspended,
    Verified,
    Wrote,
    item,
    to_json,
)

# As the first version wrote them. Never edit a line: records hold them.
WRITTEN = {
    "predicted": (
        '{"probabilities":[0.7,0.2,0.1],"right":1,"hint":true,"bits":-0.736965594166206}',
        Predicted(probabilities=(0.7, 0.2, 0.1), right=1, hint=True),
    ),
    "repredicted": (
        '{"probabilities":[0.5,0.5],"right":0,"hint":false,"bits":0.0}',
        Repredicted(probabilities=(0.5, 0.5), right=0),
    ),
    "answered": (
        '{"probabilities":[0.97,0.01,0.01,0.01],"right":0,"hint":false,"bits":1.956056652412403}',
        Answered(probabilities=(0.97, 0.01, 0.01, 0.01), right=0),
    ),
    "wrote": ('{"text":"Z cancels."}', Wrote(text="Z cancels.")),
    "self_graded": ('{"met":[0,2],"of":3}', SelfGraded(met=(0, 2), of=3)),
    "read": ("{}", Read()),
    "stepped": ('{"line":3,"of":12}', Stepped(line=3, of=12)),
    "ran": (
        '{"settings":{"beta":0.1,"soft":true,"optimizer":"newton","prompts":8},'
        '"results":{"kl":1e-12,"margin":null}}',
        Ran(
            settings={"beta": 0.1, "soft": True, "optimizer": "newton", "prompts": 8},
            results={"kl": 1e-12, "margin": None},
        ),
    ),
    "verified": (
        '{"expected":0.6931,"got":0.69315,"agreed":true}',
        Verified(expected=0.6931, got=0.69315, agreed=True),
    ),
    "attempted": (
        '{"line":"reward","of":13,"way":"prove","asked":"line","typed":"r = beta*log Z",'
        '"outcome":"different","mistake":"sign","hint":1,"form":true,"rewriting":false}',
        Attempted(
            line="reward",
            of=13,
            way="prove",
            typed="r = beta*log Z",
            outcome="different",
            mistake="sign",
            hint=1,
        ),
    ),
    "exported": ('{"form":"apkg","count":20}', Exported(form="apkg", count=20)),
    "reviewed": (
        '{"rating":3,"milliseconds":4200,"at_ms":1772366400123,"where":"anki","buttons":"four"}',
        Reviewed(rating=3, milliseconds=4200, at_ms=1_772_366_400_123, where="anki"),
    ),
    "unreviewed": ('{"nonce":"review-7"}', Unreviewed(nonce="review-7")),
    "suspended": ("{}", Suspended()),
    "unsuspended": ("{}", Unsuspended()),
    "queued": ("{}", Queued()),
    "noted": ('{"text":"Z has no y."}', Noted(text="Z has no y.")),
    "preferred": (
        '{"new_per_day":20,"reviews_per_day":null,"buttons":"two","retention":0.85,'
        '"zone":"Europe/Berlin","utc_offset":60,"parameters":null}',
        Preferred(
            new_per_day=20, buttons="two", retention=0.85, zone="Europe/Berlin", utc_offset=60
        ),
    ),
}


def event(kind: str, text: str) -> Event[Payload]:
    """An event as the store makes it from a row."""
    return Event(7, LearnerId(1), kind, "dpo/q", datetime(2026, 3, 1, tzinfo=UTC), "n", text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_and_writes_what_the_first_version_wrote(kind: str) -> None:
    text, payload = WRITTEN[kind]
    assert event(kind, text).payload == payload
    now, then = json.loads(to_json(payload)), json.loads(text)
    assert now.pop("bits", 0) == pytest.approx(then.pop("bits", 0), abs=1e-12)  # by any libm
    assert now == then
    assert payload.kind == kind


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    text = json.dumps({"text": "Z cancels.", "language": "en"})
    assert event("wrote", text).payload == Wrote(text="Z cancels.")


@pytest.mark.parametrize(("kind", "text"), [("dreamt", "{}"), ("wrote", "{}"), ("wrote", "{")])
def test_what_cannot_be_read_is_named(kind: str, text: str) -> None:
    with pytest.raises(DrillsError, match=r"Event 7 .* was not written by this version"):
        _ = event(kind, text).payload


def test_the_bits_follow_from_the_belief() -> None:
    assert Answered(probabilities=(0.8, 0.1, 0.1), right=0).bits == pytest.approx(math.log2(2.4))
    assert json.loads(to_json(Predicted(probabilities=(0.5, 0.5), right=1)))["bits"] == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Answered(probabilities=(0.5, 0.6), right=0), "sum to 1.1"),
        (lambda: Answered(probabilities=(1.0, 0.0), right=0), "No option can be given less than"),
        (lambda: Answered(probabilities=(0.5, 0.5), right=2), "there is no option 2"),
        (lambda: Answered(probabilities=(0.5, math.nan), right=0), "finite number"),
        (lambda: Wrote(text="x" * (MAX_TEXT + 412)), "10,412 characters; 10,000 are kept"),
        (lambda: Wrote(text=" \n"), "no text yet"),
        (lambda: to_json(Wrote(text="\udfff")), "cannot be stored"),
        (lambda: SelfGraded(met=(0, 3), of=3), "numbers from 0 to 2"),
        (lambda: SelfGraded(met=(1, 1), of=3), "different numbers"),
        (lambda: SelfGraded(met=(-1,), of=3), "greater than or equal to 0"),
        (lambda: Stepped(line=0, of=3), "greater than or equal to 1"),
        (lambda: Stepped(line=4, of=3), "there is no line 4"),
        (lambda: Ran(results={"kl": math.inf}), "finite number"),
        (lambda: Ran(settings={"name": "x" * 201}), "at most 200 characters"),
        (lambda: Ran(settings={str(n): n for n in range(51)}), "at most 50 items"),
        (lambda: Exported(form="apkg", count=-1), "greater than or equal to 0"),
        (lambda: Reviewed(rating=0), "greater than or equal to 1"),
        (lambda: Reviewed(rating=5), "less than or equal to 4"),
        (lambda: Reviewed(rating=3, milliseconds=-1), "greater than or equal to 0"),
        (lambda: Noted(text="x" * (MAX_NOTE + 7)), "2,007 characters; 2,000 are kept"),
        (lambda: Preferred(retention=0.99), "less than or equal to 0.97"),
        (lambda: Preferred(zone="../../etc/passwd"), "should match pattern"),
        (lambda: Preferred(parameters=(1.0,)), "Expected 21 parameters, got 1"),
        (lambda: item("DPO", "q"), "about an item such as"),
        (lambda: item("dpo", "q/r"), "about an item such as"),
        (lambda: item("dpo", "x" * 200), "at most 200 characters"),
    ],
)
def test_what_an_event_cannot_say_is_refused_in_words(
    wrong: Callable[[], object], says: str
) -> None:
    with pytest.raises(DrillsError, match=says):
        wrong()


def test_a_text_of_exactly_the_limit_is_kept() -> None:
    assert len(Wrote(text="x" * MAX_TEXT).text) == MAX_TEXT
