"""Where a test stack goes back and lets time pass: below the mailbox's address, which is secret."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_supabase.auth.mailbox_page import View
from local_supabase.rewind.state import Rewind, RewindBlockedError


def rewind_view(rewind: Rewind) -> View:
    """Return the view that goes back. Its answer says whether that was possible without a new database."""

    async def view(request: Request) -> Response:
        del request
        try:
            return JSONResponse({"done": await rewind.go_back()})
        except RewindBlockedError as error:
            return JSONResponse({"message": str(error)}, 409)

    return view


CLOCK_PATH = "/clock"


class Advance(msgspec.Struct):
    """The body of a request: by how many seconds to let time pass."""

    seconds: Annotated[float, msgspec.Meta(gt=0, le=10**10)]


def clock_view(rewind: Rewind) -> View:
    """Return the view that lets time pass."""

    async def view(request: Request) -> Response:
        try:
            wanted = msgspec.json.decode(await request.body(), type=Advance)
        except msgspec.MsgspecError as error:
            return JSONResponse({"message": str(error)}, 400)
        await rewind.advance(wanted.seconds)
        return Response(status_code=204)

    return view
