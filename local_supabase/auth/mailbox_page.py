"""The mailbox in a browser and for scripts, on a port of its own.

Mails hold codes that open accounts. Only who knows the secret in the mailbox's address may read them, which
keeps out other users of the machine. Its own port keeps out the pages that the gateway serves, and requests
from another origin, or with a host name that someone pointed to this machine (DNS rebinding), are refused.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_supabase.auth.mailbox import Mail, Mailbox

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>Mailbox</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  article {{ border-top: 1px solid #8884; padding: .75rem 0 }}
  code {{ font-size: 1.25rem; letter-spacing: .1em }}
  p {{ margin: .25rem 0 }}
  small {{ opacity: .7 }}
</style>
<h1>Mailbox</h1>
<p>Mail that this embedded Supabase would have sent. Nothing leaves this machine.</p>
{mails}
</html>
"""

View = Callable[[Request], Awaitable[Response]]


def mailbox_routes(mailbox: Mailbox, url: str, posts: Mapping[str, View] = {}) -> list[Route]:
    """Return the routes of a mailbox.

    Arguments:
        mailbox: the mailbox.
        url: its address, with the secret as its only path segment.
        posts: what else is done there, by the path below its address.
    """
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    }

    async def page(request: Request) -> Response:
        del request
        mails = await mailbox.newest()
        text = "\n".join(_article(mail) for mail in mails) or "<p>No mail yet.</p>"
        return HTMLResponse(_PAGE.format(mails=text))

    async def messages(request: Request) -> Response:
        if request.method == "DELETE":
            await mailbox.clear()
            return Response(status_code=204)
        mails = await mailbox.newest(request.query_params.get("to"))
        return JSONResponse({"messages": [asdict(mail) for mail in mails]})

    guard = _Guard(url, headers)
    return [
        Route("/{secret}", guard.wrap(page), methods=["GET"]),
        Route("/{secret}/", guard.wrap(page), methods=["GET"]),
        Route("/{secret}/messages", guard.wrap(messages), methods=["GET", "DELETE"]),
        *(Route(f"/{{secret}}{path}", guard.wrap(view), methods=["POST"]) for path, view in posts.items()),
    ]


class _Guard:
    """Lets views answer only who knows the secret, at a loopback host and from no other page."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._secret = parts.path.removeprefix("/").encode()
        self._headers = headers

    def wrap(self, view: View) -> View:
        async def answer(request: Request) -> Response:
            response = self._refusal(request) or await view(request)
            response.headers.update(self._headers)
            return response

        return answer

    def _refusal(self, request: Request) -> Response | None:
        origin = request.headers.get("origin")
        own_host = urlsplit(f"//{request.headers.get('host', '')}").hostname in _LOOPBACK
        if not own_host or (origin and origin != self._origin):
            return PlainTextResponse("The mailbox is for this machine only.", 403)
        if not secrets.compare_digest(request.path_params["secret"].encode(), self._secret):
            return PlainTextResponse("Not Found", 404)
        return None


def _article(mail: Mail) -> str:
    link = f'<p><a href="{escape(mail.link)}">{escape(mail.subject)}</a></p>' if mail.link else ""
    return (
        f"<article><h2>{escape(mail.subject)}</h2>"
        f"<p><small>to {escape(mail.to)}, {escape(mail.sent_at)}</small></p>"
        f"<p>Code <code>{escape(mail.code)}</code></p>{link}</article>"
    )
