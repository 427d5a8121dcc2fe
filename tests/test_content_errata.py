"""Errata as pairs: the sentence often written and the same put right, alike in their form."""

import pytest

from content.load import load_course
from content.markdown import parts
from content.schema import Erratum

ERRATA = load_course().errata
NEAR = 1.8  # neither of the two is longer than this times the other


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
def test_the_two_sentences_differ_and_are_about_as_long(erratum: Erratum) -> None:
    wrong, right = (_shown(text) for text in (erratum.often_written, erratum.corrected))
    assert wrong != right
    assert max(len(wrong), len(right)) <= NEAR * min(len(wrong), len(right))


@pytest.mark.parametrize("erratum", ERRATA, ids=lambda erratum: erratum.id)
def test_the_two_sentences_begin_and_end_alike(erratum: Erratum) -> None:
    wrong, right = (_shown(text) for text in (erratum.often_written, erratum.corrected))
    assert wrong[-1] == right[-1] == "."
    assert wrong.split()[0] == right.split()[0]


def _shown(text: str) -> str:
    return "".join(
        getattr(part, "markdown", "") or getattr(part, "shown", "") for part in parts(text)
    )
