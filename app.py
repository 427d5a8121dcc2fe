"""The server: `streamlit run app.py`. Cookie, health, decks, warm-up. No drawing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from content.load import ContentError
from drills.errors import DrillsError
from pages import resources, warm_up
from pages.cookie import LearnerCookie
from pages.deep_link import DeepLink
from pages.parts import failure
from pages.settings import VERSION

DECK_TYPES = {"apkg": "application/octet-stream", "tsv": "text/tab-separated-values; charset=utf-8"}


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, object]]:
    """Load what is heavy beside the first visitors, not in front of them."""
    Thread(target=warm_up.run, name="warm-up", daemon=True).start()
    yield {}


async def health(_request: Request) -> Response:
    """Say whether this server can serve and remember: 200, or 503 without its database."""
    reachable = await asyncio.to_thread(resources.record_reachable)
    body = {
        "status": "ok" if reachable else "degraded",
        "version": VERSION,
        "database": "reachable" if reachable else "unreachable",
    }
    return JSONResponse(body, status_code=200 if reachable else 503)


async def deck(request: Request) -> Response:
    """Serve `/decks/<lesson>.apkg` and `.tsv`; the lesson `course` is the whole course."""
    lesson, suffix = request.path_params["lesson"], request.path_params["suffix"]
    if suffix not in DECK_TYPES:
        return PlainTextResponse(f"No .{suffix} here: ask for .apkg or .tsv.", status_code=404)
    try:
        name, data = await asyncio.to_thread(resources.deck, lesson, suffix, epoch=int(time.time()))
    except DrillsError as error:
        return PlainTextResponse(str(error), status_code=404)
    except ContentError as error:
        return PlainTextResponse(str(error), status_code=503)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=DECK_TYPES[suffix], headers=headers)


app = st.App(
    "pages/router.py",
    lifespan=lifespan,
    on_script_error=failure.tell,
    middleware=[Middleware(LearnerCookie), Middleware(DeepLink)],
    routes=[Route("/health", health), Route("/decks/{lesson}.{suffix}", deck)],
)
