"""The mailbox in a browser and for scripts: ``/mailbox`` and ``/mailbox/messages`` of the gateway.

Mails hold what opens accounts, so only pages of the gateway itself may read them: no other origin, and no
name that was made to point to this machine.
"""

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


def mailbox_routes(mailbox: Mailbox, url: str) -> list[Route]:
    """Give the routes, relative to the root of the gateway at ``url``."""
    headers = {
        "Access-Control-Allow-Origin": url,
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

    return [
        Route("/mailbox", _local(page, headers), methods=["GET"]),
        Route("/mailbox/messages", _local(messages, headers), methods=["GET", "DELETE"]),
    ]


def _local(view: View, headers: Mapping[str, str]) -> View:
    """Let a view answer only requests that name this machine, from its own pages or from no page at all."""

    async def answer(request: Request) -> Response:
        origin = request.headers.get("origin")
        own_host = urlsplit(f"//{request.headers.get('host', '')}").hostname in _LOOPBACK
        if not own_host or (origin and origin != headers["Access-Control-Allow-Origin"]):
            return PlainTextResponse("The mailbox is for this machine only.", 403, dict(headers))
        response = await view(request)
        response.headers.update(headers)
        return response

    return answer


def _article(mail: Mail) -> str:
    link = f'<p><a href="{escape(mail.link)}">{escape(mail.subject)}</a></p>' if mail.link else ""
    return (
        f"<article><h2>{escape(mail.subject)}</h2>"
        f"<p><small>to {escape(mail.to)}, {escape(mail.sent_at)}</small></p>"
        f"<p>Code <code>{escape(mail.code)}</code></p>{link}</article>"
    )
