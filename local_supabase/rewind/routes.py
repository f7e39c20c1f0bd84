"""The address at which a test stack goes back: below the mailbox's, which only its operator knows."""

from __future__ import annotations

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
