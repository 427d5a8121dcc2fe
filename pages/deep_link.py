"""A first visit by deep link, without the detour: tell Streamlit's page where its server is.

On `/dpo` the page first asks for its server under `/dpo/`, is refused, waits, and asks again at
the root. A line in the head answers the question beforehand, which brings the first paint forward
by about a tenth of a second (tests/bench).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.cookie import asks_for_a_page

HINT = b"<head><script>window.__streamlit={BACKEND_BASE_URL:location.origin}</script>"


class DeepLink:
    """ASGI middleware: puts the hint into the head of every page that is served at the root."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; if it asked for a page, send the page with the hint."""
        if asks_for_a_page(scope):
            await self.app(_without_compression(scope), receive, _Hinted(send))
        else:
            await self.app(scope, receive, send)


class _Hinted:
    """Sends an answer on; a page is held until it is whole, and gets the hint."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            await self._collect(self.start, message)

    async def _collect(self, start: Message, message: Message) -> None:
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        whole = self.body.replace(b"<head>", HINT, 1)
        MutableHeaders(scope=start)["content-length"] = str(len(whole))
        await self.send(start)
        await self.send({"type": "http.response.body", "body": whole})


def _is_page(start: Message) -> bool:
    content_type = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and content_type.startswith("text/html")


def _without_compression(scope: Scope) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": kept}
