"""The learner cookie: a random token that only the server reads. A learner is who holds it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drills.store import is_token, new_token
from pages.settings import settings

NAME = "surprisal_learner"
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
        value = _header(token_in(scope) or new_token(), scope)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_a_page(message):
                MutableHeaders(scope=message).append("set-cookie", value)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def token_in(scope: Scope) -> str | None:
    """Return the learner token that a request brings, or None if there is none that we made.

    Read as Streamlit reads it. Python's own SimpleCookie gives up on the whole header at the first
    odd cookie of another application on this host, and the learner would be a new one.
    """
    return valid_token(HTTPConnection(scope).cookies.get(NAME))


def valid_token(token: str | None) -> str | None:
    """Return the token if it has the shape of ours: what arrives in a cookie is a stranger's."""
    return token if token and is_token(token) else None


def asks_for_a_page(scope: Scope) -> bool:
    """Say whether a browser asks for a page, and not for one of its parts."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_a_page(answer: Message) -> bool:
    """Say no to decks and other files that a browser opens: what they bring may be shared."""
    return Headers(raw=answer["headers"]).get("content-type", "text/html").startswith("text/html")


def _header(token: str, scope: Scope) -> str:
    secure = scope.get("scheme") == "https" or settings().secure_cookies
    flags = f"Max-Age={_MAX_AGE_SECONDS}; Path=/; HttpOnly; SameSite=Lax"
    return f"{NAME}={token}; {flags}" + ("; Secure" if secure else "")
