"""Each way a course can be wrong is reported once, at its line, with the next step."""

import shutil
from pathlib import Path

import pytest

from content.load import ContentError, load_course
from tests.small_course import edit, write_course

LESSON = "lessons/coins/lesson.md"
QUIZ = "lessons/coins/quiz.yaml"
CARDS = "lessons/coins/cards.yaml"
CLAIMS = "lessons/coins/claims.yaml"


def faults_of(folder: Path) -> list[str]:
    """What is wrong with a course, as it is printed."""
    try:
        load_course(folder)
    except ContentError as error:
        return str(error).split("\n")
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_course(tmp_path)


def test_the_small_course_is_free_of_faults(folder: Path) -> None:
    assert faults_of(folder) == []


# (file, what stands there, what to write instead, lines from there to the fault, the message)
Case = tuple[str, str, str, int, str]

SCHEMA: list[Case] = [
    (
        "course.yaml",
        "chapter: 1",
        "chapter: one",
        0,
        "course: `chapter` should be a whole number, not `one`",
    ),
    (
        "course.yaml",
        "chapter: 1",
        "chapter: 0",
        0,
        "course: `chapter` should be more than 0, not `0`",
    ),
    ("course.yaml", "promise: What $x$ is.\n", "", -4, "course: `promise` is missing"),
    ("course.yaml", "title: A course", "title:", 0, "course: `title` is missing"),
    (
        "course.yaml",
        "title: A course",
        "title: 12",
        0,
        "course: `title` should be text (in quotes if it looks like a number), not `12`",
    ),
    (
        "course.yaml",
        "title: A course",
        "titel: A course\ntitle: B",
        0,
        "course: unknown field `titel`; did you mean `title`?",
    ),
    (
        "course.yaml",
        "https://example.org",
        "example",
        0,
        "course: `url` should be a web address such as https://example.org, not `example`",
    ),
    (
        "course.yaml",
        "https://example.org",
        "ftp://example.org",
        0,
        "course: `url` should be a web address that starts with https:// or http://, not `ftp",
    ),
    (
        "sources.yaml",
        "year: 1948",
        "year: 48",
        0,
        "source `shannon1948`: `year` should be at least 1900, not `48`",
    ),
    (
        "sources.yaml",
        "opened: true",
        "opened: yes",
        0,
        "source `shannon1948`: `opened` should be true or false, not `yes`",
    ),
    (
        "sources.yaml",
        "[Claude E. Shannon]",
        "[]",
        0,
        "source `shannon1948`: `authors` should be a list of at least 1, not a list of 0",
    ),
    (
        "sources.yaml",
        "[Claude E. Shannon]",
        "Claude E. Shannon",
        0,
        "source `shannon1948`: `authors` should be a list, not `Claude E. Shannon`",
    ),
    (
        "sources.yaml",
        "guo2017:",
        "Guo_2016: {title: t, authors: [a], year: 2016, "
        "url: 'https://x.org', identifier: i, opened: true}\nguo2017:",
        0,
        "source `Guo_2016`: a key is in lower case with hyphens, such as `shannon1948`",
    ),
    (
        QUIZ,
        "- id: unit",
        "- id: Unit 1",
        0,
        "question `Unit 1`: `id` should be an id in lower case with hyphens",
    ),
    (
        QUIZ,
        "kind: factual",
        "kind: trick",
        0,
        "question `unit`: `kind` should be `factual` or `conceptual` or `synthetic`, not `trick`",
    ),
    (
        QUIZ,
        "    answer: 1\n",
        "    answer: 2\n",
        0,
        "prediction `lab-coin`: answer 2 is out of range: there are 2 options, counted from 0",
    ),
    (
        QUIZ,
        "    answer: 1\n",
        "    answer: true\n",
        0,
        "prediction `lab-coin`: `answer` should be a whole number, not `true`",
    ),
    (
        QUIZ,
        "      - text: tails\n        feedback: It may.\n",
        "      - text: tails\n",
        0,
        "prediction `lab-coin`: `options[1].feedback` is missing",
    ),
    (
        QUIZ,
        "      - names the sign\n",
        "",
        -2,
        "question `explain`: `rubric` should be a list of at least 2, not a list of 1",
    ),
    (QUIZ, "questions:", "question:", 0, "unknown field `question`; did you mean `questions`?"),
    (
        CARDS,
        "  section: throwing\n  source: shannon1948\n",
        "  section: throwing\n",
        -5,
        "card `surprisal-cloze`: `source` is missing",
    ),
    (
        CARDS,
        "kind: cloze",
        "kind: clozed",
        0,
        "card `surprisal-cloze`: `kind` should be `basic` or `cloze`, not `clozed`",
    ),
    (CARDS, "- id: entropy-fair\n", "-\n", 1, "card 1: `id` is missing"),
    (
        CARDS,
        "- id: entropy-fair\n",
        "- just words\n- id: entropy-fair\n",
        0,
        "card 1 should be a mapping of fields, not `just words`",
    ),
    (CLAIMS, "  function: entropy_nats\n", "", -6, "claim `fair-coin`: `function` is missing"),
    (
        CLAIMS,
        "tolerance: 1e-9",
        "tolerance: -1",
        0,
        "claim `fair-coin`: `tolerance` should be at least 0, not `-1`",
    ),
    (
        CLAIMS,
        "tolerance: 1e-9",
        "tolerance: .inf",
        0,
        "claim `fair-coin`: `tolerance` should be a finite number, not `inf`",
    ),
    (
        CLAIMS,
        "value: .inf",
        "value: .nan",
        0,
        "claim `bent-coin`: value is .nan: a claim needs a value to hold the computation against",
    ),
    (
        CLAIMS,
        "base: 2",
        "base: {two: 2}",
        0,
        "claim `fair-coin-bits`: the argument `base` should be a number, text or a list of numbers",
    ),
    (
        LESSON,
        "minutes: 5",
        "minutes: 5.5",
        0,
        "front matter: `minutes` should be a whole number, not `5.5`",
    ),
    (
        LESSON,
        "    text: Say what the entropy of a coin is.\n",
        "",
        -1,
        "front matter: `objectives[0].text` is missing",
    ),
    (
        LESSON,
        "fair-coin-bits, bent-coin]",
        "fair-coin-bits]",
        0,
        "front matter: `key_figures` should be a list of at least 3, not a list of 2",
    ),
]

SCHEMA += [
    (
        QUIZ,
        "      - text: tails\n",
        "      - text: tails\n        fedback: It may not.\n",
        1,
        "prediction `lab-coin`: unknown field `options[1].fedback`; did you mean `feedback`?",
    ),
    (
        LESSON,
        "    function: entropy_curve\n",
        "    function: entropy_curve\n    colour: red\n",
        1,
        "front matter: unknown field `figures[0].colour`; known: alt, caption, function, id",
    ),
]

NAMES: list[Case] = [
    (
        CARDS,
        "section: entropy\n  source: shannon1948",
        "section: entropy\n  source: shanon1948",
        1,
        "card `entropy-fair`: unknown source `shanon1948`; did you mean `shannon1948`?",
    ),
    (
        "glossary.yaml",
        "source: shannon1948",
        "source: nobody",
        0,
        "term `entropy`: unknown source `nobody`; known: guo2017, shannon1948",
    ),
    (
        LESSON,
        "{cite}`shannon1948`",
        "{cite}`shannon`",
        0,
        "unknown source `shannon`; did you mean `shannon1948`?",
    ),
    (
        CARDS,
        "By {cite}`shannon1948`.",
        "By {cite}`guo`.",
        0,
        "card `surprisal-cloze`: `extra`: unknown source `guo`; did you mean `guo2017`?",
    ),
    (
        LESSON,
        "{term}`surprisals <surprisal>`",
        "{term}`surprisals`",
        0,
        "unknown term `surprisals`; did you mean `surprisal`?",
    ),
    (
        LESSON,
        "Bits are {term}`surprisal` too.\n\nThey",
        "Bits.\n\n{term}`Kelvin` They",
        2,
        "unknown term `Kelvin`; known: Entropy, surprisal",
    ),
    (
        "glossary.yaml",
        "{term}`surprisal`",
        "{term}`surprise`",
        0,
        "term `entropy`: `definition`: unknown term `surprise`; did you mean `surprisal`?",
    ),
    (
        LESSON,
        "{claim}`fair-coin` {cite}",
        "{claim}`fair` {cite}",
        0,
        "unknown claim `fair`; did you mean `fair-coin`?",
    ),
    (
        LESSON,
        "{claim}`coins/fair-coin`",
        "{claim}`coin/fair-coin`",
        0,
        "unknown lesson `coin`; did you mean `coins`?",
    ),
    (
        "errata.yaml",
        "{claim}`coins/fair-coin-bits`",
        "{claim}`fair-coin-bits`",
        0,
        "claim `fair-coin-bits`: outside a lesson write `lesson/fair-coin-bits`",
    ),
    (
        "errata.yaml",
        "claim: coins/fair-coin",
        "claim: coins/fare-coin",
        0,
        "erratum `bits-or-nats`: unknown claim `fare-coin`; did you mean `fair-coin`",
    ),
    (
        LESSON,
        "[fair-coin, fair",
        "[fair-die, fair",
        0,
        "front matter: key figure: unknown claim `fair-die`; did you mean `fair-coin`",
    ),
    (
        LESSON,
        ":::{figure} curve\n",
        ":::{figure} curves\n:::\n\n:::{figure} curve\n",
        0,
        "unknown figure `curves`; did you mean `curve`?",
    ),
    (
        LESSON,
        ":::{quiz}\n",
        ":::{predict} which-con\n:::\n\n:::{quiz}\n",
        0,
        "unknown prediction `which-con`; did you mean `which-coin`?",
    ),
    (
        LESSON,
        ":::{paper} shannon1948",
        ":::{paper} shannon1949",
        0,
        "unknown source `shannon1949`; did you mean `shannon1948`?",
    ),
    (
        QUIZ,
        "    objective: say-entropy",
        "    objective: say-enthalpy",
        0,
        "question `unit`: unknown objective `say-enthalpy`; did you mean `say-entropy`?",
    ),
    (
        CARDS,
        "  section: throwing",
        "  section: trowing",
        0,
        "card `surprisal-cloze`: unknown section `trowing`; did you mean `throwing`?",
    ),
    (
        QUIZ,
        "section: throwing\n    source: shannon1948\n    prompt: Explain",
        "section: theory\n    source: shannon1948\n    prompt: Explain",
        0,
        "question `explain`: unknown section `theory`; known: entropy, opening, throwing",
    ),
    (
        QUIZ,
        "  - id: which-coin\n    section: entropy",
        "  - id: which-coin\n    section: throwing",
        1,
        "prediction `which-coin`: it is asked in section `entropy`, not here",
    ),
    (
        QUIZ,
        "  - id: lab-coin\n    section: throwing",
        "  - id: lab-coin\n    section: entropy",
        0,
        "prediction `lab-coin`: never asked: put `:::{predict} lab-coin` into the lesson",
    ),
    (CARDS, "  why: Both", "  figure: curv\n  why: Both", 0, "did you mean `curve`"),
    (
        CARDS,
        "  why: Both",
        "  figure: curve\n  why: Both",
        0,
        "there is no lessons/coins/curve.png",
    ),
    (
        LESSON,
        ":::{figure} curve\n:::\n",
        "",
        -31,
        "figure `curve` is never drawn: put `:::{figure} curve` into the text",
    ),
    # names that are taken
    (
        QUIZ,
        "- id: unit",
        "- id: which-coin",
        0,
        "question id `which-coin` is taken, by the prediction at lessons/coins/quiz.yaml:2",
    ),
    (
        CARDS,
        "- id: surprisal-cloze",
        "- id: entropy-fair",
        0,
        "card id `entropy-fair` is taken, by the card at lessons/coins/cards.yaml:1",
    ),
    (
        CLAIMS,
        "- id: bent-coin\n",
        "- {id: fair-coin, label: l, statement: s, value: 1, shown: s, "
        "function: f, tolerance: 0, source: guo2017}\n- id: bent-coin\n",
        0,
        "claim id `fair-coin` is taken, by the claim at lessons/coins/claims.yaml:1",
    ),
    (
        LESSON,
        "(throwing)=\n",
        "(entropy)=\n## Again\n\n(throwing)=\n",
        1,
        "section id `entropy` is taken, at line 21",
    ),
    (
        LESSON,
        "figures:\n",
        "  - {id: say-entropy, text: Again., section: entropy}\nfigures:\n",
        0,
        "objective id `say-entropy` is taken",
    ),
    (
        LESSON,
        "---\n\nA coin",
        "  - {id: curve, function: f, caption: c, alt: a}\n---\n\nA coin",
        0,
        "figure id `curve` is taken",
    ),
    (
        "glossary.yaml",
        "term: surprisal",
        "term: entropy",
        0,
        "term `surprisal`: the term is also defined at line 1",
    ),
    ("course.yaml", "  - coins\n", "  - coins\n  - coins\n", 1, "lesson `coins` is listed twice"),
    (
        "course.yaml",
        "  - coins\n",
        "  - coins\n  - coinz\n",
        1,
        "lesson `coinz` has no folder lessons/coinz; did you mean `coins`?",
    ),
]

PROSE: list[Case] = [
    # mathematics
    (LESSON, "\\$5 a throw", "$5 a throw", 0, "`$` without its partner"),
    (LESSON, "\\$5 a throw", "5$ a throw", 0, "`$` without its partner"),
    (LESSON, "A coin is", "A coin\nfor $5 and $6 is", 1, "`$` without its partner"),
    (LESSON, "A coin is", "A $ x $ is", 0, "`$` without its partner"),
    (LESSON, "A coin is", "A 2$x$ is", 0, "a digit touches the mathematics $x$"),
    (LESSON, "A coin is", "A $x$2 is", 0, "a digit touches the mathematics $x$"),
    (LESSON, "A coin is", "A $x\n{y$ is", 1, "`{` without its partner in the mathematics x {y"),
    (LESSON, "A coin is", "A $x}$ is", 0, "`}` without its partner in the mathematics x}"),
    (
        LESSON,
        "A coin is",
        "A $\\{x$ $\\left\\{x_{1}$ $x_{2$ is",
        0,
        "`{` without its partner in the mathematics x_{2",
    ),
    (LESSON, "A coin is", "A $x `y$ `z is", 0, "holds a backtick"),
    (LESSON, "A coin is", "A $x \\$ y$ is", 0, "`\\$` inside mathematics"),
    (LESSON, "-\\sum_{i}", "-\\sum_{i", 0, "`{` without its partner"),
    (LESSON, "% definition\n", "", -1, "the formula does not say what it rests on"),
    (LESSON, "% definition\n", "% claim fair-con\n", -1, "did you mean `fair-coin`"),
    (LESSON, "% definition\n", "% line dpo\n", -1, "expected derivation/line"),
    (LESSON, "A coin is", "A $2$ nats coin is", 0, "a quantity in nats: write {nats}"),
    (LESSON, "A coin is", "A 1 bit coin is", 0, "a quantity in bits: write {bits}"),
    (LESSON, "A coin is", "A {nats}`one` coin is", 0, "takes a number such as 0.693, not `one`"),
    (LESSON, "section: entropy", "section: entrpy", 0, "unknown section `entrpy`"),
    (LESSON, "p_{i}\n$$", "p_{i} $$", -2, "`$$` stands on a line of its own"),
    (LESSON, "A coin is", "A $$x$$ coin is", 0, "`$$` stands on a line of its own"),
    (LESSON, "| fair | ", "| $H(a|b)$ | ", 0, "`|` inside mathematics splits the cell"),
    (LESSON, "| coin | $H$ |", "| coin | $H(a|b)$ |", 1, "no table: the rule and the row above"),
    (
        LESSON,
        "{chosen}`$\\pi_{w}$`",
        "{chosen}`$\\pi_{w$`",
        0,
        "`{` without its partner in the mathematics \\pi_{w",
    ),
    (LESSON, "{chosen}`$\\pi_{w}$`", "{chosen}`\\pi_{w}$`", 0, "`$` without its partner"),
    (LESSON, "Bits are", "Bits\ncost $5,", 1, "`$` without its partner"),
    # roles
    (
        LESSON,
        "{policy}`bent`",
        "{polcy}`bent`",
        0,
        "unknown role `{polcy}`; did you mean `policy`?",
    ),
    (LESSON, "{policy}`bent`", "{policy}` `", 0, "the role `{policy}` is empty"),
    (
        LESSON,
        "{policy}`bent`",
        "{policy} `bent`",
        0,
        "the role `{policy}` needs its text in backticks",
    ),
    (
        LESSON,
        "{policy}`bent`",
        "{policy}bent",
        0,
        "the role `{policy}` needs its text in backticks",
    ),
    (
        LESSON,
        "{claim}`fair-coin` {cite}",
        "{claim}`0.7 <fair-coin>` {cite}",
        0,
        "a claim shows its own value: write {claim}`fair-coin`",
    ),
    # directives
    (
        LESSON,
        ":::{callout} Mind",
        ":::{calout} Mind",
        0,
        "unknown directive `:::{calout}`; did you mean `callout`?",
    ),
    (
        LESSON,
        ":::{callout} Mind the unit",
        ":::{callout}",
        0,
        "`:::{callout}` needs a title after it",
    ),
    (
        LESSON,
        ":::{derivation} entropy",
        ":::{derivation}",
        0,
        "`:::{derivation}` needs the id of a derivation in kebab case after it",
    ),
    (
        LESSON,
        ":::{derivation} entropy",
        ":::{derivation} Entropy_1",
        0,
        "takes the id of a derivation in kebab case, not `Entropy_1`",
    ),
    (
        LESSON,
        ":::{lab} coins",
        ":::{lab} Coins",
        0,
        "takes the id of a lab in kebab case, not `Coins`",
    ),
    (
        LESSON,
        ":::{program} coin_from_scratch",
        ":::{program} coin-from-scratch",
        0,
        "takes the name of a module in engine",
    ),
    (LESSON, ":::{quiz}", ":::{quiz} hard", 0, "`:::{quiz}` takes no argument, not `hard`"),
    (
        LESSON,
        ":::{derivation} entropy\n",
        ":::{derivation} entropy\nWords.\n",
        0,
        "`:::{derivation}` takes no text inside",
    ),
    (LESSON, "He worked at Bell Labs.\n", "", -1, "`:::{history}` needs its text inside"),
    (
        LESSON,
        ":::{quiz}\n:::\n",
        ":::{quiz}\n:::\n\n:::{quiz}\n:::\n",
        3,
        "`:::{quiz}` stands here twice",
    ),
    (
        LESSON,
        ":::{quiz}\n:::\n",
        ":::{lab} coins\n:::\n\n:::{quiz}\n:::\n",
        0,
        "`:::{lab} coins` stands here twice",
    ),
    (
        LESSON,
        ":::{sources}\n:::\n",
        ":::{sources}\n",
        0,
        "`:::{sources}` is not closed by a line `:::`",
    ),
    (
        LESSON,
        "He worked at Bell Labs.\n:::\n",
        "He worked at Bell Labs.\n",
        -1,
        "`:::{history}` is not closed",
    ),
    (LESSON, ":::{sources}\n:::\n", ":::{sources}\n:::\n\n:::\n", 3, "`:::` opens nothing"),
    (
        LESSON,
        ":::{sources}\n",
        ":::sources\n",
        0,
        "`:::` opens nothing: a directive starts `:::{name}`",
    ),
    (
        LESSON,
        ":::{sources}\n:::\n",
        "- a list\n\n  :::{sources}\n  :::\n",
        2,
        "a directive inside a list",
    ),
    (LESSON, ":::{sources}\n:::\n", "```{sources}\n```\n", 0, "a directive is fenced with colons"),
    # headings
    (LESSON, "(throwing)=\n", "", 0, "a section without an id: put `(its-id)=` on the line above"),
    (
        LESSON,
        "(throwing)=\n",
        "(thrown)=\n\nWords.\n\n(throwing)=\n",
        0,
        "a section id stands right above",
    ),
    (LESSON, "## Throwing it", "## ", 0, "a heading without words"),
    (
        LESSON,
        "### A smaller heading",
        "#### A smaller heading",
        0,
        "`####` heading: sections are `##`",
    ),
    (LESSON, "### A smaller heading", "# A larger heading", 0, "`#` heading: sections are `##`"),
    (LESSON, "### A smaller heading", "A heading\n=========", 0, "an underlined heading"),
    (LESSON, "### A smaller heading", "### A {term}`surprisal` heading", 0, "no roles"),
    (LESSON, "- second,", "- ### second", 0, "a heading inside a list or a quotation"),
    (LESSON, "He worked at", "### He worked\n\nat", 0, "a heading has no place in this text"),
    # markup
    (LESSON, "A coin is", "A <br> coin is", 0, "raw HTML <br>"),
    (LESSON, "A coin is", "<div>\nA coin\n</div>\n\nis", 0, "raw HTML <div>"),
    (LESSON, "A coin is", "<!-- a note -->\n\nA coin is", 0, "raw HTML <!-- a note -->"),
    (
        LESSON,
        "A coin is",
        "A [coin](coins.md) is",
        0,
        "link to `coins.md`: expected http:// or https://",
    ),
    (LESSON, "A coin is", "A [coin](javascript:alert(1)) is", 0, "link to `javascript:alert(1)`"),
    (LESSON, "A coin is", "A <mailto:coin@example.org> is", 0, "link to `mailto:coin@example.org`"),
    (LESSON, "A coin is", "A [coin](https://) is", 0, "link to `https://`"),
    (LESSON, "A coin is", "A ![coin](https://example.org/coin.png) is", 0, "an image in prose"),
    (LESSON, "A coin is", "[coin]: https://example.org\n\nA coin is", 0, "a link definition"),
    (LESSON, "---\ntitle: Coins\n", "title: Coins\n", 0, "no front matter"),
]

FIELDS: list[Case] = [
    (
        QUIZ,
        "prompt: What will",
        "prompt: For $5 what will",
        0,
        "prediction `lab-coin`: `prompt`: `$` without its partner",
    ),
    (
        QUIZ,
        "- text: tails",
        "- text: tails $x",
        0,
        "prediction `lab-coin`: `options[1].text`: `$` without its partner",
    ),
    (
        QUIZ,
        "feedback: That is base $e$.",
        "feedback: That is base $e.",
        0,
        "question `unit`: `options[1].feedback`: `$`",
    ),
    (
        QUIZ,
        "hint: Think of $\\log_2$.",
        "hint: Think of $\\log_{2$.",
        0,
        "question `unit`: `hint`: `{` without",
    ),
    (
        QUIZ,
        "      a base of two give?",
        "      a base of $2 give?",
        0,
        "question `unit`: `prompt`: `$` without",
    ),
    (
        QUIZ,
        "      - names the sign",
        "      - names <br> the sign",
        0,
        "question `explain`: `rubric[1]`: raw HTML <br>",
    ),
    (
        CARDS,
        "    One bit,",
        "    One\n    $bit,",
        1,
        "card `entropy-fair`: `answer`: `$` without its partner",
    ),
    (
        CARDS,
        "    One bit,",
        "    One {unit}`bit`,",
        0,
        "card `entropy-fair`: `answer`: unknown role `{unit}`",
    ),
    (
        CARDS,
        "    One bit,",
        "    ## One bit\n\n    or",
        0,
        "card `entropy-fair`: `answer`: a heading has no place",
    ),
    (
        CARDS,
        "    One bit,",
        "    :::{quiz}\n    :::\n\n    or",
        0,
        "card `entropy-fair`: `answer`: a directive has no place",
    ),
    (
        "glossary.yaml",
        "$-\\sum p \\log p$",
        "$-\\sum p \\log p",
        0,
        "term `entropy`: `definition`: `$` without",
    ),
    (
        "errata.yaml",
        "$-\\log 0.5$ is",
        "$-\\log 0.5 is",
        0,
        "erratum `bits-or-nats`: `often_written`: `$` without",
    ),
    (
        CLAIMS,
        "That is one bit.",
        "'That''s one\n    $bit.'",
        1,
        "claim `fair-coin-bits`: `statement`: `$` without",
    ),
    (
        CLAIMS,
        "That is one bit.",
        '"That\\u0020is\\n one \\\n    $bit."',
        1,
        "claim `fair-coin-bits`: `statement`: `$` without",
    ),
    (
        CLAIMS,
        "That is one bit.",
        "That is\n    one\n\n    $bit.",
        3,
        "claim `fair-coin-bits`: `statement`: `$` without",
    ),
    ("course.yaml", "What $x$ is.", "What $x is.", 0, "course: `promise`: `$` without its partner"),
    (
        LESSON,
        "caption: The entropy against $p$.",
        "caption: The entropy against $p.",
        0,
        "front matter: `figures[0].caption`: `$` without its partner",
    ),
    # gaps
    (
        CARDS,
        "{{c1::$-\\log p_{i}$}}, in {{c2::nats::a unit}}",
        "nats",
        0,
        "card `surprisal-cloze`: `text`: a cloze card without a gap: write {{c1::...}}",
    ),
    (
        CARDS,
        "id: entropy-fair",
        "id: surprisal-cloze-gap-2",
        0,
        "the id is that of a gap of card `surprisal-cloze`",
    ),
    (CARDS, "{{c2::nats", "{{c3::nats", 0, "gaps are numbered from c1 without a hole; missing: c2"),
    (CARDS, "{{c1::$-", "{{c0::$-", 0, "gaps are numbered from c1 without a hole; missing: c1"),
    (CARDS, "{{c2::nats::a unit}}", "{{c2::nats", 0, "a gap without its end `}}`"),
    (CARDS, "{{c2::nats::a unit}}", "{{c2::}}", 0, "the gap c2 hides nothing"),
    (
        CARDS,
        "{{c1::$-\\log p_{i}$}}",
        "{{c1::$\\frac{a}{b_{i}}$}}",
        0,
        "the gap c1 ends at the first `}}`, with a brace left open: inside mathematics write `} }`",
    ),
    (
        CARDS,
        "{{c1::$-\\log p_{i}$}}",
        "{{c1::$-\\log}} p_{i}$",
        0,
        "the gap c1 cuts through mathematics",
    ),
    (CARDS, "{{c1::$-\\log p_{i}$}}", "{{c1::$a::b$}}", 0, "the gap c1 cuts through mathematics"),
    (
        CARDS,
        "{{c1::$-\\log p_{i}$}}",
        "{{c1::$-\\log p_{i$}}",
        0,
        "`{` without its partner in the mathematics -\\log p_{i",
    ),
    (
        CARDS,
        "question: What is",
        "question: What {{c1::is}}",
        0,
        "a basic card has no gaps: add `kind: cloze`",
    ),
]

YAML: list[Case] = [
    (
        "sources.yaml",
        "year: 1948",
        "year: 1948: 49",
        0,
        "not YAML: mapping values are not allowed in this context",
    ),
    (
        "sources.yaml",
        "year: 1948",
        "year: 1948\n\tmonth: 7",
        1,
        "not YAML: found a tab character that violates indentation",
    ),
    (
        "sources.yaml",
        "  year: 1948",
        "  year: 1948\n  title: Again",
        1,
        "`title` is given twice; first in line 2",
    ),
    (
        "sources.yaml",
        "year: 1948",
        "year: &year 1948",
        0,
        "anchors (&) and aliases (*) are not taken",
    ),
    (
        "sources.yaml",
        "year: 1948",
        "year: !!int 1948",
        0,
        "tags such as tag:yaml.org,2002:int are not taken",
    ),
    ("sources.yaml", "guo2017:", "---\nguo2017:", 0, "a second YAML document starts here"),
    ("sources.yaml", "year: 1948", "? [year]\n  : 1948", 0, "a key must be a word"),
    (LESSON, "minutes: 5", "minutes: [5", 1, "not YAML: "),
    (
        LESSON,
        "minutes: 5",
        "minutes: 5\nminutes: 6",
        1,
        "`minutes` is given twice; first in line 5",
    ),
    (LESSON, "A coin is", "A\u2028coin is", 0, "invisible character U+2028"),
    (CARDS, "alike", "\x07alike", 0, "invisible character U+0007"),
    (
        QUIZ,
        "predictions:\n",
        "predictions: none\nother:\n",
        0,
        "expected a list of entries (`- id: ...`), not `none`",
    ),
]


@pytest.mark.parametrize("case", [*SCHEMA, *NAMES, *PROSE], ids=lambda case: case[4][:60])
def test_a_fault_is_reported_once_at_its_line(case: Case, folder: Path) -> None:
    name, old, new, down, message = case
    line = edit(folder, name, old, new) + down
    found = faults_of(folder)
    assert {fault.partition(" ")[0] for fault in found} == {f"{name}:{line}:"}, found
    assert all(message in fault for fault in found), found


@pytest.mark.parametrize("case", FIELDS, ids=lambda case: case[4][:60])
def test_a_fault_in_a_field_is_reported_at_the_line_of_its_words(case: Case, folder: Path) -> None:
    name, old, new, down, message = case
    line = edit(folder, name, old, new) + down
    found = faults_of(folder)
    assert [fault.partition(" ")[0] for fault in found] == [f"{name}:{line}:"], found
    assert message in found[0]


@pytest.mark.parametrize("case", YAML, ids=lambda case: case[4][:60])
def test_what_cannot_be_read_is_reported_at_its_line(case: Case, folder: Path) -> None:
    name, old, new, down, message = case
    line = edit(folder, name, old, new) + down
    assert any(fault.startswith(f"{name}:{line}: {message}") for fault in faults_of(folder))


MISSING = "this file is missing; every course and every lesson has it"


@pytest.mark.parametrize(
    "name",
    ["course.yaml", "sources.yaml", "glossary.yaml", "errata.yaml", LESSON, QUIZ, CARDS, CLAIMS],
)
def test_a_missing_file_is_one_fault_and_brings_no_others(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert faults_of(folder) == [f"{name}:1: {MISSING}"]


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / CARDS).unlink()
    (folder / CARDS).mkdir()
    expected = f"{CARDS}:1: cannot be read: expected a file, not a folder or a device"
    assert faults_of(folder) == [expected]


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    raw = (
        (folder / QUIZ).read_bytes().replace(b"the bent one", "der verb\xf6gene".encode("latin-1"))
    )
    (folder / QUIZ).write_bytes(raw)
    line = raw[: raw.index(b"\xf6")].count(b"\n") + 1
    assert faults_of(folder)[0].startswith(f"{QUIZ}:{line}: not UTF-8 at byte")


def test_a_byte_order_mark_and_windows_line_ends_are_taken(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        raw = path.read_bytes().replace(b"\n", b"\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + raw)
    assert faults_of(folder) == []


def test_a_file_that_is_too_large(folder: Path) -> None:
    with (folder / CARDS).open("a") as stream:
        stream.write("#" * 1_000_000)
    assert faults_of(folder) == [f"{CARDS}:1: larger than 1,000,000 bytes; split it"]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000])
def test_bottomless_nesting_is_refused_and_crashes_nothing(text: str, folder: Path) -> None:
    (folder / "errata.yaml").write_text(text)
    assert any(fault.startswith("errata.yaml:1: ") for fault in faults_of(folder))


def test_a_lesson_folder_that_is_not_listed(folder: Path) -> None:
    (folder / "lessons/dice").mkdir()
    (folder / "lessons/__pycache__").mkdir()
    assert faults_of(folder) == [
        "course.yaml:8: the folder lessons/dice is not listed under `lessons`"
    ]


def test_a_card_id_is_taken_across_lessons(folder: Path) -> None:
    shutil.copytree(folder / "lessons/coins", folder / "lessons/dice")
    edit(folder, "course.yaml", "  - coins\n", "  - coins\n  - dice\n")
    expected = "lessons/dice/cards.yaml:{}: card id `{}` is taken, by the card at {}:{}"
    assert faults_of(folder) == [
        expected.format(1, "entropy-fair", CARDS, 1),
        expected.format(12, "surprisal-cloze", CARDS, 12),
    ]


def test_an_empty_folder(tmp_path: Path) -> None:
    names = ("course.yaml", "errata.yaml", "glossary.yaml", "sources.yaml")
    assert faults_of(tmp_path) == [f"{name}:1: {MISSING}" for name in names]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    expected = f"there is no folder {tmp_path}/nowhere; expected one that holds a course.yaml"
    assert faults_of(tmp_path / "nowhere") == [f"course.yaml:1: {expected}"]


def test_empty_files_are_courses_without_those_entries(folder: Path) -> None:
    (folder / "errata.yaml").write_text("")
    (folder / CARDS).write_text("# none yet\n")
    assert faults_of(folder) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("sources.yaml", "- a\n- b\n", "expected a mapping from keys to entries, not a list of 2"),
        ("errata.yaml", "a: b\n", "expected a list of entries (`- id: ...`), not a mapping"),
        ("course.yaml", "words\n", "course should be a mapping of fields, not `words`"),
        (QUIZ, "- a\n", "expected the fields `predictions` and `questions`, not a list of 1"),
    ],
)
def test_a_file_of_the_wrong_shape(name: str, text: str, message: str, folder: Path) -> None:
    (folder / name).write_text(text)
    assert f"{name}:1: {message}" in faults_of(folder)


def test_all_faults_of_all_files_are_reported_at_once(folder: Path) -> None:
    lines = {
        "course.yaml": edit(folder, "course.yaml", "chapter: 1", "chapter: none"),
        "sources.yaml": edit(folder, "sources.yaml", "year: 2017", "year: 20177"),
        "glossary.yaml": edit(folder, "glossary.yaml", "source: shannon1948", "source: x"),
        LESSON: edit(folder, LESSON, "A coin is", "A <i>coin is"),
        QUIZ: edit(folder, QUIZ, "answer: 1\n", "answer: none\n"),
        CARDS: edit(folder, CARDS, "{{c2::", "{{c5::"),
        CLAIMS: edit(folder, CLAIMS, "shown: 1 bit", "shown: 1 $bit"),
    }
    second = edit(folder, CARDS, "section: entropy", "section: enthalpy")
    found = {fault.partition(" ")[0] for fault in faults_of(folder)}
    assert found == {f"{name}:{line}:" for name, line in [*lines.items(), (CARDS, second)]}


def test_a_broken_entry_still_has_its_texts_read(folder: Path) -> None:
    edit(folder, CARDS, "  topic: entropy\n", "")
    edit(folder, CARDS, "What is the entropy", "What $is the entropy")
    found = faults_of(folder)
    assert len(found) == 2
    assert found[0].startswith(f"{CARDS}:1: card `entropy-fair`: `topic` is missing")
    assert found[1].startswith(f"{CARDS}:2: card `entropy-fair`: `question`: `$` without")


def test_an_unclosed_directive_does_not_bring_faults_about_what_it_swallowed(folder: Path) -> None:
    line = edit(folder, LESSON, ":::{predict} which-coin\n:::\n", ":::{predict} which-coin\n")
    assert faults_of(folder) == [f"{LESSON}:{line}: `:::{{predict}}` is not closed by a line `:::`"]


def test_a_lesson_named_like_a_screen_is_refused(folder: Path) -> None:
    (folder / "lessons/coins").rename(folder / "lessons/progress")
    edit(folder, "course.yaml", "  - coins\n", "  - progress\n")
    assert (
        "course.yaml:9: lesson `progress` needs another name: /progress is a screen of every course"
        in faults_of(folder)
    )
