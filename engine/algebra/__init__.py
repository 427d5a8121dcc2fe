"""Symbolic relations, their checks and their presentation as MathML.

A relation is written once, over `expressions` and `vocabulary`, and used three ways: `mathml`,
`text` and `latex` set it; `instances`, `field` and `proof` decide it for two, three and four
responses; `numbers` and `worlds` evaluate it. `line`, `derivation`, `desk` and `breaks` are the
records that `derivations/<name>.py` fill in.

What a learner types is read by `reader` (over `tokens`, into `typed`) and judged by `verdict`,
which refutes in numbers (`sampling`, `search`) before it proves (`equality`, `equations`).
"""
