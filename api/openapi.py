"""The description of the API, where FastAPI's own says something else than what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from api.errors import MEDIA_TYPE


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return what makes the description: problems are told in the media type of problems."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _corrected(make())
        return app.openapi_schema

    return openapi


def _corrected(schema: dict[str, Any]) -> dict[str, Any]:
    for path in schema["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if int(status) >= 400 and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    return schema
