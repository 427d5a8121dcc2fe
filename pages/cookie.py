"""The learner cookie: a random token that only the server reads. A learner is who holds it."""

import re
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drills.store import new_token
from pages.settings import settings

NAME = "surprisal_learner"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 random bytes
_MAX_AGE_SECONDS = 400 * 24 * 3600  # the longest that browsers accept


class LearnerCookie:
    """ASGI middleware: every page answer sets the cookie anew, keeping a valid token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer if it asked for a page."""
        if not asks_for_a_page(scope):
            await self.app(scope, receive, send)
            return
        value = _header(token_in(Headers(scope=scope).get("cookie", "")) or new_token(), scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", value)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def token_in(cookie_header: str) -> str | None:
    """Return the learner token in a Cookie header, or None if there is none that we made."""
    try:
        morsel = SimpleCookie(cookie_header).get(NAME)
    except CookieError:
        return None
    return valid_token(morsel.value) if morsel else None


def valid_token(token: str | None) -> str | None:
    """Return the token if it has the shape of ours: what arrives in a cookie is a stranger's."""
    return token if token and _TOKEN.fullmatch(token) else None


def asks_for_a_page(scope: Scope) -> bool:
    """Say whether a browser asks for a page, and not for one of its parts."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _header(token: str, scope: Scope) -> str:
    secure = scope.get("scheme") == "https" or settings().secure_cookies
    flags = f"Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
    return f"{NAME}={token}; {flags}" + ("; Secure" if secure else "")
