"""A course of one short lesson, right in every respect, for tests to break in one place."""

from pathlib import Path

FILES = {
    "course.yaml": """\
series: A series
chapter: 1
chapters: 3
title: A course
promise: What $x$ is.
deck: "Series::Ch 01"
url: https://example.org
lessons:
  - coins
""",
    "sources.yaml": """\
shannon1948:
  title: A Mathematical Theory of Communication
  authors: [Claude E. Shannon]
  year: 1948
  url: https://doi.org/10.1002/j.1538-7305.1948.tb01338.x
  identifier: doi:10.1002/j.1538-7305.1948.tb01338.x
  opened: true
guo2017:
  title: On Calibration of Modern Neural Networks
  authors: [Chuan Guo, Geoff Pleiss]
  year: 2017
  url: https://arxiv.org/abs/1706.04599
  identifier: arXiv:1706.04599
  opened: false
""",
    "glossary.yaml": """\
entropy:
  term: Entropy
  definition: The mean {term}`surprisal`, $-\\sum p \\log p$.
  source: shannon1948
surprisal:
  term: surprisal
  definition: The negative logarithm of a probability.
""",
    "errata.yaml": """\
- id: bits-or-nats
  often_written: $-\\log 0.5$ is {fixed}`0.69 bits`
  corrected: $-\\ln 0.5$ is {fixed}`0.69 nats`
  right: It is {fixed}`0.69 nats`, {claim}`coins/fair-coin-bits`.
  source: shannon1948
  claim: coins/fair-coin
""",
    "lessons/coins/lesson.md": """\
---
title: Coins
short: Coins
promise: Say how surprising a coin is.
minutes: 5
key_figures: [fair-coin, fair-coin-bits, bent-coin]
objectives:
  - id: say-entropy
    text: Say what the entropy of a coin is.
    section: entropy
figures:
  - id: curve
    function: entropy_curve
    caption: The entropy against $p$.
    alt: A hill with its top at one half.
---

A coin is thrown. It may be {policy}`bent`, by a coin maker who earns \\$5 a throw.

(entropy)=
## Entropy of a coin

:::{predict} which-coin
:::

The {term}`entropy` of a fair coin is {claim}`fair-coin` {cite}`shannon1948`, and
{term}`surprisals <surprisal>` add up {cite}`as he showed <shannon1948>`.

$$
% definition
H = -\\sum_{i} p_{i} \\log p_{i}
$$

### A smaller heading

| coin | $H$ |
|------|-----|
| fair | {claim}`fair-coin-bits` |

- first, `$` in code
- second, {chosen}`$\\pi_{w}$`

:::{figure} curve
:::

:::{callout} Mind the unit
Bits are {term}`surprisal` too.

They are **not** nats, {claim}`coins/fair-coin`.
:::

(throwing)=
## Throwing it

:::{lab} coins
:size: large
:::

:::{derivation} entropy
:::

:::{program} coin_from_scratch
:::

:::{history} Shannon
He worked at Bell Labs.
:::

:::{paper} shannon1948
**Asks** how to count information.
:::

:::{quiz}
:::

:::{sources}
:::
""",
    "lessons/coins/quiz.yaml": """\
predictions:
  - id: which-coin
    section: entropy
    source: shannon1948
    prompt: Which coin surprises most?
    options:
      - text: the fair one
        feedback: Yes, $H = \\log 2$.
      - text: the bent one
        feedback: It is seldom surprising.
    answer: 0
  - id: lab-coin
    section: throwing
    source: shannon1948
    prompt: What will the lab show?
    options:
      - text: heads
        feedback: It may.
      - text: tails
        feedback: It may.
    answer: 1
questions:
  - id: unit
    kind: factual
    section: entropy
    objective: say-entropy
    source: shannon1948
    hint: Think of $\\log_2$.
    prompt: >-
      Which unit does
      a base of two give?
    options:
      - text: bits
        feedback: Yes.
      - text: nats
        feedback: That is base $e$.
    answer: 0
  - id: explain
    kind: synthetic
    section: throwing
    source: shannon1948
    prompt: Explain surprise.
    model_answer: A negative logarithm, $-\\log p$.
    rubric:
      - names the logarithm
      - names the sign
""",
    "lessons/coins/cards.yaml": """\
- id: entropy-fair
  topic: entropy
  question: What is the entropy of a fair coin?
  answer: |
    It is $\\log 2$.

    One bit, {claim}`fair-coin-bits`.
  why: Both sides are alike.
  section: entropy
  source: shannon1948
  objective: say-entropy
- id: surprisal-cloze
  kind: cloze
  topic: surprisal
  text: Surprisal is {{c1::$-\\log p_{i}$}}, in {{c2::nats::a unit}}.
  extra: By {cite}`shannon1948`.
  section: throwing
  source: shannon1948
""",
    "lessons/coins/claims.yaml": """\
- id: fair-coin
  label: Fair coin
  statement: A fair coin has an entropy of {claim}`fair-coin`.
  value: 0.6931471805599453
  unit: nats
  shown: 0.693 nats
  function: entropy_nats
  arguments:
    probabilities: [0.5, 0.5]
  tolerance: 1e-9
  source: shannon1948
- id: fair-coin-bits
  label: In bits
  statement: That is one bit.
  value: 1
  shown: 1 bit
  function: entropy_bits
  arguments:
    probabilities: [0.5, 0.5]
    base: 2
  tolerance: 1.0e-9
  source: shannon1948
- id: bent-coin
  label: Bent coin
  statement: A coin that never fails has infinite surprise left.
  value: .inf
  shown: $\\infty$
  function: surprisal
  arguments: {probability: 0}
  tolerance: 0
  source: guo2017
""",
}


def write_course(folder: Path) -> Path:
    """Write the course into `folder` and return it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def edit(folder: Path, name: str, old: str, new: str) -> int:
    """Replace the one place that reads `old`; return the line, from 1, where `new` starts."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{name} holds {old!r} {text.count(old)} times, expected once")
    at = text.index(old)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text.count("\n", 0, at) + 1
