"""Pydantic's errors in plain words: which field, what was expected, what came."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from content.faults import suggest
from content.files import At
from content.schema import Figure, Objective, Option

_Context = Mapping[str, Any]

_EXPECTED: dict[str, Callable[[_Context], str]] = {
    "string_type": lambda _: "text (in quotes if it looks like a number)",
    "string_too_short": lambda _: "text that is not empty",
    "string_pattern_mismatch": lambda about: _pattern(about["pattern"]),
    "int_type": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "bool_type": lambda _: "true or false",
    "list_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping of names to values",
    "model_type": lambda _: "a mapping of fields",
    "greater_than": lambda about: f"more than {about['gt']:g}",
    "greater_than_equal": lambda about: f"at least {about['ge']:g}",
    "less_than_equal": lambda about: f"at most {about['le']:g}",
    "too_short": lambda about: f"a list of at least {about['min_length']}",
    "too_long": lambda about: f"a list of at most {about['max_length']}",
    "literal_error": lambda about: about["expected"].replace("'", "`"),
    "url_type": lambda _: "a web address such as https://example.org",
    "url_parsing": lambda _: "a web address such as https://example.org",
    "url_scheme": lambda _: "a web address that starts with https:// or http://",
    "url_too_long": lambda _: "a shorter web address",
}


_PARTS: dict[str, type[BaseModel]] = {
    "options": Option,
    "objectives": Objective,
    "figures": Figure,
}


def explain(error: ValidationError, fields: Collection[str]) -> Iterator[tuple[At, str]]:
    """Each fault of one entry as (where in it, message). `fields` are those the model knows."""
    details = error.errors(include_url=False)
    found = (_argument(detail) or (_place(detail), _message(detail, fields)) for detail in details)
    yield from dict.fromkeys(found)


def _argument(detail: ErrorDetails) -> tuple[At, str] | None:
    """One message where pydantic has one for each kind of value an argument may be."""
    place = detail["loc"]
    if len(place) < 3 or place[0] != "arguments":
        return None
    return place[:2], f"the argument `{place[1]}` should be a number, text or a list of numbers"


def _place(detail: ErrorDetails) -> At:
    """The place of the field; a message about the whole entry starts with the field it means."""
    return detail["loc"] or (_reason(detail).partition(" ")[0],)


def _reason(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _is_missing(detail: ErrorDetails) -> bool:
    return detail["type"] == "missing" or detail["input"] is None


def _message(detail: ErrorDetails, fields: Collection[str]) -> str:
    name, about = path(detail["loc"]), detail.get("ctx", {})
    if detail["type"] == "value_error":
        return _reason(detail)
    if detail["type"] == "extra_forbidden":
        known = fields if len(detail["loc"]) == 1 else _PARTS[str(detail["loc"][0])].model_fields
        return f"unknown field `{name}`{suggest(str(detail['loc'][-1]), known)}"
    if name and _is_missing(detail):
        return f"`{name}` is missing"
    expected = _EXPECTED.get(detail["type"])
    wanted = expected(about) if expected else detail["msg"]
    return f"`{name}` should be {wanted}, not {shown(detail['input'])}"


def path(place: At) -> str:
    """`options[1].text`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def shown(value: object) -> str:
    """A value as its author would call it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "a mapping"
    text = " ".join(str(value).split())
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"


def _pattern(pattern: str) -> str:
    if "0-9a-f" in pattern:
        return "64 hexadecimal digits"
    return "an id in lower case with hyphens, such as `kl-divergence`"
