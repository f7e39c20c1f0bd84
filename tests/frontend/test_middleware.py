"""Files go out compressed and are kept for good; the page is Tavern's wherever it would be Streamlit's."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from frontend.files import prepare
from frontend.middleware import Additions, Frontend
from frontend.page import Colors, Look
from frontend.preview import Preview, Previews

SCRIPT = b"export const text = 'again and again';\n" * 100
PAGE = "<html><head><title>Streamlit</title></head><body></body></html>"
OTHER = PAGE.replace("Streamlit", "Somebodys")
LOOK = Look("Tavern", Colors("#fff", "#000"), Colors("#191411", "#eee"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    scripts = tmp_path / "source" / "static" / "js"
    scripts.mkdir(parents=True)
    (scripts / "index.abcdefgh.js").write_bytes(SCRIPT)
    (tmp_path / "source" / "index.html").write_text(PAGE)
    return tmp_path / "source"


def client_of(
    source: Path, copy: Path, base_path: str = "", previews: Previews | None = None
) -> httpx.AsyncClient:
    async def page(_request: object) -> Response:
        return FileResponse(source / "index.html")

    async def other(_request: object) -> Response:
        return HTMLResponse(OTHER)

    async def data(_request: object) -> Response:
        return Response(b"from the app", headers={"x-from": "app"})

    async def rows(_request: object) -> Response:
        return JSONResponse(["row"] * 100)

    app = Starlette(
        routes=[
            Route("/api/rows", rows),
            Route("/other", other),
            Route("/static/{path:path}", data),
            Route("/{path:path}", page),
        ]
    )
    served = Frontend(
        GZipMiddleware(app, minimum_size=1),
        LOOK,
        Additions(previews=previews),
        base_path=base_path,
        source=source,
        copy=copy,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://tavern.test")


@pytest.fixture
async def client(source: Path, tmp_path: Path) -> httpx.AsyncClient:
    return client_of(source, prepare(source, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("identity", None)]
)
async def test_a_script_is_sent_compressed_and_kept(
    client: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    answer = await client.get("/static/js/index.abcdefgh.js", headers={"accept-encoding": accepted})
    assert answer.content == SCRIPT
    assert answer.headers.get("content-encoding") == encoding
    assert "javascript" in answer.headers["content-type"]
    assert "immutable" in answer.headers["cache-control"]
    assert "access-control-allow-origin" not in answer.headers
    if encoding:
        assert int(answer.headers["content-length"]) < len(SCRIPT) / 10


@pytest.mark.parametrize("path", ["/static/js/../../secret", "/static/js/%2e%2e/secret", "/static/none.js"])
async def test_anything_else_is_the_apps(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert b"again" not in answer.content
    assert answer.headers.get("x-from") == "app" or "Tavern" in answer.text


@pytest.mark.parametrize("path", ["/", "/events"])
@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
async def test_every_address_has_the_page(client: httpx.AsyncClient, path: str, accepted: str) -> None:
    answer = await client.get(path, headers={"accept-encoding": accepted})
    assert "<title>Tavern</title>" in answer.text
    assert "prefers-color-scheme:dark" in answer.text
    assert "etag" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_another_page_stays_as_it_is(client: httpx.AsyncClient) -> None:
    assert len(OTHER) == len(PAGE)
    answer = await client.get("/other")
    assert answer.text == OTHER


async def test_answers_of_the_api_stay_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/rows")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == ["row"] * 100


async def test_a_head_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_below_a_path_files_are_below_it(source: Path, tmp_path: Path) -> None:
    client = client_of(source, prepare(source, tmp_path / "copy"), base_path="/house/")
    answer = await client.get("/house/static/js/index.abcdefgh.js")
    assert answer.headers["content-encoding"] in ("br", "gzip")


async def test_without_a_copy_the_app_serves_all(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(source, tmp_path / "none")
    assert (await client.get("/static/js/index.abcdefgh.js")).headers["x-from"] == "app"
    assert "<title>Tavern</title>" in (await client.get("/")).text
    assert "python -m frontend" in caplog.text


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("br", None), ("identity", None)])
async def test_a_page_has_the_preview_of_what_its_address_names(
    source: Path, tmp_path: Path, accepted: str, encoding: str | None
) -> None:
    async def previews(scope: Scope) -> Preview | None:
        return Preview("Feast", "Friday", "feast") if scope["path"] == "/feast" else None

    client = client_of(source, prepare(source, tmp_path / "copy"), previews=previews)
    headers = {"accept-encoding": accepted}
    for path, expected in (("/feast", 1), ("/other-page", 0), ("/feast", 1)):
        answer = await client.get(path, headers=headers)
        assert answer.text.count('<meta property="og:title" content="Feast">') == expected
        assert "<title>Tavern</title>" in answer.text
        assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers.get("content-encoding") == encoding
    assert "og:title" not in (await client.get("/api/rows")).text


async def test_a_fault_in_a_preview_costs_the_preview_alone(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def previews(_scope: Scope) -> Preview | None:
        raise KeyError("a renamed column")

    client = client_of(source, prepare(source, tmp_path / "copy"), previews=previews)
    assert "<title>Tavern</title>" in (await client.get("/feast")).text
    assert "a renamed column" in caplog.text
