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
    **dict.fromkeys("-−–﹣－", "-"),
    **dict.fromkeys("*·×⋅∙•\u2062", "*"),  # the last is invisible, as pages write p log p
    **dict.fromkeys("/÷∕⁄", "/"),
    **dict.fromkeys("=＝", "="),
    "^": "^",
}
_GREEK = {"β": "beta", "π": "pi", "σ": "sigma", "τ": "tau", "θ": "theta"}
_LATEX = {
    **{name: name for name in ("beta", "pi", "tau", "theta", "sigma")},
    **{name: name for name in ("log", "ln", "exp", "sqrt")},
}
_LATEX_SIGNS = {"cdot": "*", "times": "*", "div": "/"}
_SILENT = ("left", "right", "[bB]igg?[lrm]?", "q?quad", "displaystyle", "textstyle")
_UPRIGHT = r"\\(?:operatorname|textrm|text|mathrm|mathit)"
_UNSEEN = "\u2061\u200b\u2060\ufeff"  # what copying leaves between letters
_STAR = r"\^(?:\*(?![A-Za-z0-9*])|\\(?:ast|star)(?![A-Za-z])|\{\s*(?:\*|\\ast|\\star)\s*\})"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_WORD = r"(?:[A-Za-z][A-Za-z0-9]*)"
_SUBSCRIPT = (
    rf"_(?:\{{(?P<braced>(?:[^{{}}]|{_UPRIGHT}\{{[^{{}}]*\}})*)\}}"
    rf"|{_UPRIGHT}\{{(?P<text>[^{{}}]*)\}}"
    r"|\\(?P<command>[a-z]+)|(?P<bare>[A-Za-z0-9θ]+(?:[,_][A-Za-zθ]+)*))"
)
_SCANNER = re.compile(
    rf"""
      (?P<space>(?:[\s{_UNSEEN}]|\\[,;:!\ ]|[~$&]|\\(?:{"|".join(_SILENT)})(?![A-Za-z]))+)
    | (?P<number>\d+(?:\.\d+)?|\.\d+)
    | (?P<fraction>\\[dt]?frac(?![A-Za-z])
        (?:\s*(?P<above>[0-9])(?:\s*(?P<below>[0-9])|(?=\s*\{{)))?)
    | (?P<sign>\*\*|[{re.escape("".join(_SIGNS))}])
    | (?P<latexsign>\\(?:{"|".join(_LATEX_SIGNS)})(?![A-Za-z]))
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
_STARRED = {"pi", "pi_w", "pi_l", "r", "r_w", "r_l", "p"}  # π* is the optimum, r* and p* the truth
_ALIASES = {
    "pi_ref": "ref", "pi_theta": "pi", "ref_theta": "ref", "p_ref": "ref",
    **{f"pi_{a}_{b}": f"{c}_{y}" for y in "wl" for ref, c in (("ref", "ref"), ("theta", "pi"))
       for a, b in ((ref, y), (y, ref))},
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
    while at < len(text):
        found = _SCANNER.match(text, at)
        if not found:
            raise ReadError(_unknown_character(text[at]), at)
        token, at = _token(found, text)
        yield from token
    yield Token("end", "", len(text))


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
    base = _base(found)
    if base in FUNCTIONS and not _subscript(found):
        return [Token("function", FUNCTIONS[base], start)], end
    name, end = _with_arguments("_".join([base, *_subscript(found)]), text, end)
    _check_marks(found, name, text)
    if name == "e" or name in SYMBOLS:
        return [Token("name", name, start)], end
    raise ReadError(_unknown_name(found[0], name), start)


def _with_arguments(name: str, text: str, end: int) -> tuple[str, int]:
    """The name that is meant, with the arguments behind it, and where these end."""
    given = _ARGUMENTS.match(text, end)
    if given and name in {"pi", "ref", "pi_ref", "pi_theta", "r", "Z"} and _are_arguments(given):
        name, end = f"{name}_{given['y']}" if given["y"] else name, given.end()
    compared = _COMPARED.match(text, end) if name == "p" else None
    return _ALIASES.get(name, name), compared.end() if compared else end


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
    if found["root"]:
        return "sqrt"
    if found["named"]:
        return found["named"]
    if found["latex"]:
        if found["latex"] not in _LATEX:
            sentence = f"The command \\{found['latex']} has no place in a line here."
            raise ReadError(sentence, found.start())
        return _LATEX[found["latex"]]
    return _GREEK[found["greek"]] if found["greek"] else found["plain"]


def _subscript(found: re.Match[str]) -> list[str]:
    """The parts of a subscript: ref,w of π_{ref,w}."""
    raw = next((found[name] for name in ("braced", "text", "command", "bare") if found[name]), "")
    plain = re.sub(rf"{_UPRIGHT}\{{([^{{}}]*)\}}|\\rm\b", r"\1", raw).replace("\\theta", "theta")
    parts = re.split(r"[,_\s]+", plain.replace("θ", "theta"))
    return [part for part in parts if part]


def _unknown_name(typed: str, name: str) -> str:
    """Say what to write instead of a name that is none."""
    if re.match(r"(log|ln)(_|\d)", name):
        return "Logarithms are natural here: write log(..), without a base."
    by_case = [known for known in (*SYMBOLS, *FUNCTIONS) if known.lower() == name.lower()]
    if by_case:
        return f"There is no {typed} here. Did you mean {' or '.join(by_case)}? Case matters."
    parts = _split(name)
    if parts:
        return f"There is no {typed} here. {_apart(parts)}"
    near = difflib.get_close_matches(name, (*SYMBOLS, *FUNCTIONS), n=1)
    hint = f"Did you mean {near[0]}?" if near else f"The names are {', '.join(SYMBOLS)}."
    return f"There is no {typed[:40]} here. {hint}"


def _apart(parts: list[str]) -> str:
    """What to write for names run together: log(Z), or a product."""
    if parts[0] in FUNCTIONS and len(parts) == 2:
        return f"Write {parts[0]}({parts[1]})."
    if any(part in FUNCTIONS for part in parts):
        return f"Write the names apart, as in {' '.join(parts)}."
    return f"For a product write {'*'.join(parts)}."


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
    if character == ",":
        return "A comma has no place here; decimals are written with a point, as in 0.5."
    if character in "<>≤≥≠":
        return "A line here is an expression or an equation, with = between its sides."
    if character in ".!?;:'\"`@#$%&|\\_∣":
        return f"The character {character} has no place here."
    try:
        said = unicodedata.name(character).lower()
    except ValueError:
        return "An invisible or unnamed character stands here; delete it and type on."
    return f"This character is the {said}, which has no place here."
