"""The learner cookie: kept when it is ours, made when it is not, given with pages only."""

import asyncio
from http.cookies import Morsel, SimpleCookie

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from drills.store import is_token, new_token
from pages import cookie, settings

ODD = ['a={"x":1}', "rack[id]=1", "_ga=a b", 'x="', "a,b=1", "flag", "a=é"]  # by other applications
NOT_OURS = ["", "short", "a" * 44, "a" * 42 + "\n", "a" * 42 + ";", "../" + "a" * 40, "é" * 43]


def answer(
    response: Response, *, cookies: str = "", accept: str = "text/html", scheme: str = "http"
) -> "Morsel[str] | None":
    """Return the learner cookie that comes with a response, None without one."""
    headers = [(b"accept", accept.encode()), (b"cookie", cookies.encode("latin-1"))]
    scope = {"type": "http", "method": "GET", "scheme": scheme, "path": "/", "headers": headers}
    sent: list[Message] = []

    async def application(_scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(cookie.LearnerCookie(application)(scope, receive, send))
    set_cookies = [value for name, value in sent[0]["headers"] if name == b"set-cookie"]
    assert len(set_cookies) <= 1
    return SimpleCookie(set_cookies[0].decode())[cookie.NAME] if set_cookies else None


def page() -> Response:
    return Response("<p>a page</p>", media_type="text/html")


def given(cookies: str) -> str:
    """Return the token that a page gives to who brings these cookies."""
    morsel = answer(page(), cookies=cookies)
    assert morsel is not None
    return morsel.value


def test_a_first_visit_gets_a_token_of_its_own() -> None:
    first, second = given(""), given("")
    assert is_token(first)
    assert first != second


def test_a_valid_token_is_kept() -> None:
    token = new_token()
    assert given(f"{cookie.NAME}={token}") == token


@pytest.mark.parametrize("other", ODD)
def test_a_token_is_kept_beside_an_odd_cookie_of_another_application(other: str) -> None:
    token = new_token()
    assert given(f"{other}; {cookie.NAME}={token}") == token
    assert given(f"{cookie.NAME}={token}; {other}") == token


@pytest.mark.parametrize("value", NOT_OURS)
def test_what_is_not_a_token_is_replaced(value: str) -> None:
    assert is_token(given(f"{cookie.NAME}={value}"))
    assert cookie.valid_token(value) is None


def test_scripts_cannot_read_it_and_other_sites_cannot_send_it() -> None:
    morsel = answer(page())
    assert morsel is not None
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["path"] == "/"
    assert int(morsel["max-age"]) > 365 * 24 * 3600
    assert not morsel["secure"]


def test_over_https_it_is_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    over_https = answer(page(), scheme="https")
    assert over_https is not None
    assert over_https["secure"]
    monkeypatch.setattr(cookie, "settings", lambda: settings.Settings(secure_cookies=True))
    behind_a_proxy = answer(page())
    assert behind_a_proxy is not None
    assert behind_a_proxy["secure"]


def test_only_a_page_brings_it() -> None:
    assert answer(Response(b"deck", media_type="application/octet-stream")) is None
    assert answer(PlainTextResponse("no such deck", status_code=404)) is None
    assert answer(page(), accept="*/*") is None


def test_a_page_that_has_not_changed_brings_it() -> None:
    assert answer(Response(status_code=304)) is not None
