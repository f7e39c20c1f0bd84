"""The page to read and try the API on. All of its files come from this server."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS: Final = "/docs/assets"
_SWAGGER_OPTIONS: Final = {
    "tryItOutEnabled": True,
    "persistAuthorization": False,
    "displayRequestDuration": True,
}
"""`persistAuthorization` would leave access tokens in the browser's storage."""


def install(app: FastAPI) -> None:
    """Add the page to the application."""
    # The package's own routes name absolute addresses, which are wrong behind a proxy with https.
    app.mount(_ASSETS, StaticFiles(packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title}: HTTP API",
            swagger_js_url=f"{root}{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{_ASSETS}/favicon-32x32.png",
            swagger_ui_parameters=_SWAGGER_OPTIONS,
        )
