"""From the characters of a typed line to its tokens: plain text, Unicode or LaTeX alike."""

import difflib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.algebra.typed import SYMBOLS
from engine.errors import EngineError

MOST_CHARACTERS = 400
MOST_DIGITS = 12  # of one number

Kind = Literal["number", "name", "function", "fraction", "operator", "open", "close", "end"]


class ReadError(EngineError):
    """A line that cannot be read: a sentence for the learner, and the place it is about."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.position = position  # offset into the text, from 0

    def caret(self, text: str) -> str:
        """The line with a caret under the place."""
        shown = "".join(each if each.isprintable() else " " for each in text)
        return f"{shown}\n{''.join(map(_blank, shown[: self.position]))}^"


def _blank(character: str) -> str:
    """As much space as a character takes in a line of even width."""
    if unicodedata.combining(character):
        return ""
    return "\u3000" if unicodedata.east_asian_width(character) in "FW" else " "


@dataclass(frozen=True, slots=True)
class Token:
    """One token, and where it starts."""

    kind: Kind
    text: str
    position: int


FUNCTIONS = {
    "log": "log",
    "ln": "log",
    "exp": "exp",
    "sqrt": "sqrt",
    "sigma": "sigma",
    "sigmoid": "sigma",
    "logistic": "sigma",
}
_SIGNS = {
    **dict.fromkeys("+＋", "+"),
    **dict.fromkeys("-−–﹣－\u2010\u2011", "-"),
    **dict.fromkeys("*·×⋅∙•∗\u2062", "*"),  # the last is invisible, as pages write p log p
    **dict.fromkeys("/÷∕⁄", "/"),
    **dict.fromkeys("=＝", "="),
    "^": "^",
}
_GREEK = {"β": "beta", "π": "pi", "σ": "sigma", "τ": "tau", "θ": "theta", "㏑": "ln"}
_LATEX = {
    **{name: name for name in ("beta", "pi", "tau", "theta", "sigma")},
    **{name: name for name in ("log", "ln", "exp", "sqrt")},
}
_LATEX_SIGNS = {"cdot": "*", "times": "*", "div": "/"}
_SUMMED = {*("sum", "mathbb", "E", "KL", "D_KL", "H", "Σ", "∑")}  # what has many terms
_NOTED = {  # letters of the lessons, and what is typed for them
    **dict.fromkeys(("lambda", "λ", "mu", "μ", "z"), "u"),
    "b": "beta",
    "h": "u, or h_w and h_l",
    "n": "q for 1/n",
}
_SILENT = ("left", "right", "[bB]igg?[lrm]?", "q?quad", "displaystyle", "textstyle")
_UPRIGHT = r"\\(?:operatorname|textrm|text|mathrm|mathit)"
# What stands around a formula in a chat, and the point or comma of the sentence that it ends.
_AROUND = r"\\[()\[\]]|\\(?:begin|end)\{(?:aligned|(?:align|equation)\*?)\}"
_STOP = rf"(?<![0-9.,])[.,](?=(?:\s|\$|{_AROUND})*\Z)"
_UNSEEN = "\u2061\u200b\u2060\ufeff"  # what copying leaves between letters
_STAR = r"\^(?:[*∗](?![A-Za-z0-9*])|\\(?:ast|star)(?![A-Za-z])|\{\s*(?:\*|\\ast|\\star)\s*\})"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_WORD = r"(?:[A-Za-z][A-Za-z0-9]*)"
_SUBSCRIPT = (
    rf"_(?:\{{(?P<braced>(?:[^{{}}]|{_UPRIGHT}\{{[^{{}}]*\}})*)\}}"
    rf"|{_UPRIGHT}\{{(?P<text>[^{{}}]*)\}}"
    r"|\\(?P<command>[a-z]+)|(?P<bare>[A-Za-z0-9θ]+(?:[,_][A-Za-zθ]+)*))"
)
_SCANNER = re.compile(
    rf"""
      (?P<space>(?:[\s{_UNSEEN}]|\\[,;:!\ ]|[~$&]|{_AROUND}|{_STOP}
        |\\(?:{"|".join(_SILENT)})(?![A-Za-z]))+)
    | (?P<number>\d+(?:\.\d+)?|\.\d+)
    | (?P<fraction>\\[dt]?frac(?![A-Za-z])
        (?:\s*(?P<above>[0-9])(?:\s*(?P<below>[0-9])|(?=\s*[{{\\A-Za-z{"".join(_GREEK)}])))?)
    | (?P<sign>\*\*|[{re.escape("".join(_SIGNS))}])
    | (?P<latexsign>\\(?:{"|".join(_LATEX_SIGNS)})(?![A-Za-z]))
    | (?P<vulgar>[½⅓⅔¼¾])
    | (?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)
    | (?P<root>√)
    | (?P<word>(?:{_UPRIGHT}\{{(?P<named>[A-Za-z]+)\}}
        |\\(?P<latex>[A-Za-z]+)|(?P<greek>[{"".join(_GREEK)}])|(?P<plain>{_WORD}))
        (?P<star>{_STAR})?(?:{_SUBSCRIPT})?(?P<last>{_STAR})?)
    | (?P<open>[(\[{{]|\\\{{)
    | (?P<close>[)\]}}]|\\\}})
    """,
    re.VERBOSE,
)
_SKIP = r"(?:\s|\\[,;:!])*"
_OPEN, _CLOSE = rf"{_SKIP}(?:\\left|\\[bB]igg?l?)?\({_SKIP}", rf"{_SKIP}(?:\\right|\\[bB]igg?r?)?\)"
_GIVEN = rf"(?:{_SKIP}(?:[|∣]|\\mid|\\vert)?{_SKIP}x)?"
# What the lessons write after a name: π(y_w | x), r(x, y_l), Z(x); and p(y_w ≻ y_l | x).
_ARGUMENTS = re.compile(rf"{_OPEN}(?:x\s*,{_SKIP})?(?:y(?:_\{{?(?P<y>[wl])\}}?)?)?{_GIVEN}{_CLOSE}")
_COMPARED = re.compile(rf"{_OPEN}y_\{{?w\}}?\s*(?:≻|>|\\succ)\s*y_\{{?l\}}?{_GIVEN}{_CLOSE}")
_ALONE = re.compile(rf"{_OPEN}[xT]{_CLOSE}")  # q(x), q_i(T)
# A star before arguments that cannot be factors is none for times: π*(y | x), r*(x, y).
_STAR_BEFORE = re.compile(
    rf"[*∗](?={_OPEN}(?:x\s*,|y(?:_\{{?[wl]\}}?)?{_SKIP}(?:[|∣≻>]|\\mid|\\vert|\\succ)))"
)
_ARGUED = {"pi", "ref", "pi_ref", "pi_theta", "pi_r", "r", "Z"}  # what has a response or a prompt
_INDEX = re.compile(r"(?<![A-Za-z\\])[pqx]_(?:([ijk])|\{\s*([ijk])\s*\})(?![A-Za-z0-9_])")
_STARRED = {"pi", "pi_w", "pi_l", "r", "r_w", "r_l", "p"}  # π* is the optimum, r* and p* the truth
_ALIASES = {
    "pi_ref": "ref", "pi_theta": "pi", "ref_theta": "ref", "p_ref": "ref",
    "pi_r": "pi",  # the optimum for a reward r, as the paper on DPO has it
    **{f"pi_{a}_{b}": f"{c}_{y}" for y in "wl"
       for ref, c in (("ref", "ref"), ("theta", "pi"), ("r", "pi"))
       for a, b in ((ref, y), (y, ref))},
    **{f"{name}_{index}": name for name in "pqx" for index in "ijk"},
}  # fmt: skip


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a line, an "end" last.

    Raises:
        ReadError: a character or a name that has no place in a line.
    """
    if len(text) > MOST_CHARACTERS:
        sentence = f"A line may have {MOST_CHARACTERS} characters; this one has {len(text)}."
        raise ReadError(sentence, MOST_CHARACTERS)
    at, text = 0, "".join(map(_plain, text))
    _check_index(text)
    while at < len(text):
        found = _SCANNER.match(text, at)
        if not found:
            raise ReadError(_unknown_character(text[at]), at)
        token, at = _token(found, text)
        yield from token
    yield Token("end", "", len(text))


def _check_index(text: str) -> None:
    """Refuse p_i beside q_j: an index is read past, so the two would be taken for one."""
    found = list(_INDEX.finditer(text))
    other = (each for each in found if (each[1] or each[2]) != (found[0][1] or found[0][2]))
    if (each := next(other, None)) is not None:
        raise ReadError("One term has one index: write the same for all.", each.start())


def _plain(character: str) -> str:
    """A letter of the mathematical alphabets, as PDFs have them, as the letter it stands for."""
    if not "\U0001d400" <= character <= "\U0001d7ff":
        return character
    return unicodedata.normalize("NFKC", character)


def _token(found: re.Match[str], text: str) -> tuple[list[Token], int]:
    start, end, piece = found.start(), found.end(), found[0]
    if found["word"] or found["root"]:
        return _word(found, text)
    return list(_simple(found, piece, text, start)), end


def _simple(found: re.Match[str], piece: str, text: str, start: int) -> Iterator[Token]:
    """The tokens of anything but a word; a space has none."""
    if found["number"]:
        yield _number(piece, text, start)
    elif found["raised"]:
        yield from _raised(piece, start)
    elif found["vulgar"]:
        yield from _vulgar(piece, text, start)
    elif found["fraction"]:
        yield Token("fraction", piece, start)
        yield from _digits(found)
    elif found["open"] or found["close"]:
        yield Token("open" if found["open"] else "close", piece.lstrip("\\"), start)
    elif not found["space"]:
        sign = "^" if piece == "**" else _SIGNS.get(piece) or _LATEX_SIGNS[piece[1:]]
        yield Token("operator", sign, start)


def _digits(found: re.Match[str]) -> Iterator[Token]:
    r"""The digits of \\frac12 and \\frac1{2}, each in braces."""
    for name in ("above", "below"):
        if found[name]:
            at = found.start(name)
            yield Token("open", "{", at)
            yield Token("number", found[name], at)
            yield Token("close", "}", at)


def _number(piece: str, text: str, start: int) -> Token:
    if len(piece.replace(".", "").lstrip("0")) > MOST_DIGITS or len(piece) > 2 * MOST_DIGITS:
        raise ReadError(f"A number may have {MOST_DIGITS} digits.", start)
    after = start + len(piece)
    if text[after : after + 1] in {",", "."} and text[after + 1 : after + 2].isdigit():
        raise ReadError("Write decimals with one point, as in 0.5.", after)
    return Token("number", piece, start)


def _vulgar(piece: str, text: str, start: int) -> list[Token]:
    """½ as a fraction in parentheses."""
    if text[:start].rstrip()[-1:].isdigit():
        raise ReadError("Write this number as a decimal, as in 1.5.", start)
    above, below = unicodedata.normalize("NFKC", piece).split("\u2044")
    opening, over = Token("open", "(", start), Token("operator", "/", start)
    numbers = Token("number", above, start), Token("number", below, start)
    return [opening, numbers[0], over, numbers[1], Token("close", ")", start)]


def _raised(piece: str, start: int) -> list[Token]:
    """x² and x⁻¹ as a power with its exponent in parentheses."""
    digits = piece.translate(_SUPERSCRIPTS)
    if not re.fullmatch(r"-?\d{1,3}", digits):
        raise ReadError("This exponent cannot be read; write x^2 or x^-1.", start)
    sign = [Token("operator", "-", start)] if digits[0] == "-" else []
    number = Token("number", digits.lstrip("-"), start)
    power, opening = Token("operator", "^", start), Token("open", "(", start)
    return [power, opening, *sign, number, Token("close", ")", start)]


def _word(found: re.Match[str], text: str) -> tuple[list[Token], int]:
    """A function, or a name with its subscript and, as in the lessons, its arguments."""
    start, end = found.start(), found.end()
    if found["root"]:
        return [Token("function", "√", start)], end
    base = _base(found)
    if base in FUNCTIONS and not _subscript(found):
        return [Token("function", FUNCTIONS[base], start)], end
    name, end = _with_arguments("_".join([base, *_subscript(found)]), text, end)
    _check_marks(found, name, text)
    if name == "e" or name in SYMBOLS:
        return [Token("name", name, start)], end
    if not text[:start].strip() and re.match(r"\s*=(?!=)", text[end:]) and not _meant(name):
        raise ReadError(f"There is no {found[0]} here: type only what it equals.", start)
    called = text[end:].lstrip().startswith("(")
    raise ReadError(_unknown_name(found[0], name, called=called), start)


def _with_arguments(name: str, text: str, end: int) -> tuple[str, int]:
    """The name that is meant, with the arguments behind it, and where these end."""
    star = _STAR_BEFORE.match(text, end) if name in _STARRED else None
    at = star.end() if star else end
    given = _ARGUMENTS.match(text, at) if name in _ARGUED else None
    if given and _are_arguments(given):
        if name == "Z" and "y" in given[0]:
            raise ReadError("Z depends on the prompt alone: write Z or Z(x).", end)
        name, end = f"{name}_{given['y']}" if given["y"] else name, given.end()
    name = _ALIASES.get(name, name)
    other = _ALONE.match(text, end) if name in {"p", "q"} else None
    other = other or (_COMPARED.match(text, at) if name == "p" else None)
    return name, other.end() if other else end


def _check_marks(found: re.Match[str], name: str, text: str) -> None:
    """Refuse a star on what has none, and a subscript without its sign, as in πref."""
    star = "star" if found["star"] else "last"
    if found[star] and name not in _STARRED:
        raise ReadError("A star belongs to π, r or p: for a product write x*y.", found.start(star))
    joined = re.compile(r"(?:ref|w|l|θ)(?![A-Za-z])").match(text, found.end())
    if found[0] == "π" and joined:
        raise ReadError(f"Is this π_{joined[0]}? Write the subscript with _.", found.start())


def _are_arguments(given: re.Match[str]) -> bool:
    return bool(re.search(r"[xy]", given[0]))


def _base(found: re.Match[str]) -> str:
    if found["named"]:
        return found["named"]
    if found["latex"]:
        if found["latex"] not in _LATEX:
            sentence = _unknown_command(found["latex"])
            raise ReadError(sentence, found.start())
        return _LATEX[found["latex"]]
    return _GREEK[found["greek"]] if found["greek"] else found["plain"]


def _subscript(found: re.Match[str]) -> list[str]:
    """The parts of a subscript: ref,w of π_{ref,w}."""
    raw = next((found[name] for name in ("braced", "text", "command", "bare") if found[name]), "")
    plain = re.sub(rf"{_UPRIGHT}\{{([^{{}}]*)\}}|\\rm\b", r"\1", raw).replace("\\theta", "theta")
    parts = re.split(r"[,_\s]+", plain.replace("θ", "theta"))
    return [part for part in parts if part]


def _unknown_name(typed: str, name: str, *, called: bool) -> str:
    """Say what to write instead of a name that is none; `called` if a parenthesis follows."""
    if re.fullmatch(r"(log|ln)(_?\d+|_[a-z])", name):
        return "Logarithms are natural here: write log(..), without a base."
    said = f"There is no {typed[:40]} here"
    if {name, name.partition("_")[0]} & _SUMMED:
        return f"{said}: write out the term of one outcome, without the sum."
    noted = f"Where a line has {typed}, its note says what to type: {_NOTED.get(name)}."
    if hint := _meant(name):
        return f"{said}. {hint}" + (f" {noted}" if name in _NOTED else "")
    if name in _NOTED:
        return f"{said}. {noted}"
    known = "functions are log, exp, sqrt, sigma" if called else f"names are {', '.join(SYMBOLS)}"
    return f"{said}. The {known}."


def _meant(name: str) -> str:
    """A name that may be meant, or how to write names run together; "" if nothing is near."""
    by_case = [known for known in (*SYMBOLS, *FUNCTIONS) if known.lower() == name.lower()]
    if by_case:
        return f"Did you mean {' or '.join(by_case)}? Case matters."
    parts = _split(name)
    if parts:
        return _apart(parts)
    near = difflib.get_close_matches(name, (*SYMBOLS, *FUNCTIONS), n=1)
    return f"Did you mean {near[0]}?" if near and len(name) > 1 and name not in _NOTED else ""


def _apart(parts: list[str]) -> str:
    """What to write for names run together: log(Z), or a product."""
    if parts[0] in FUNCTIONS and len(parts) == 2 and parts[1] not in FUNCTIONS:
        return f"Write {parts[0]}({parts[1]})."
    if any(part in FUNCTIONS for part in parts):
        return f"Write the names apart, as in {' '.join(parts)}."
    return f"For a product write {'*'.join(parts)}."


def _unknown_command(command: str) -> str:
    if command in _SUMMED or command in _NOTED:
        return _unknown_name(f"\\{command}", command, called=False)
    return f"The command \\{command} has no place in a line here."


def _split(name: str) -> list[str]:
    """A run of known names without signs between them: betaZ."""
    if not name or len(name) > 40:
        return []
    for known in sorted((*SYMBOLS, *FUNCTIONS), key=len, reverse=True):
        if name == known:
            return [known]
        if name.startswith(known) and (rest := _split(name[len(known) :])):
            return [known, *rest]
    return []


def _unknown_character(character: str) -> str:
    if character in _SUMMED or character in _NOTED:
        return _unknown_name(character, character, called=False)
    if character == ",":
        return "A comma has no place here; decimals are written with a point, as in 0.5."
    if character in "<>≤≥≠":
        return "A line here is an expression or an equation, with = between its sides."
    if character in ".!?;:'\"`@#$%&|\\_∣":
        return f"The character {character} has no place here."
    said = unicodedata.name(character, "").lower()
    if not said or unicodedata.category(character) == "Cf":
        return "An invisible or unnamed character stands here; delete it and type on."
    return f"This character is the {said}, which has no place here."
