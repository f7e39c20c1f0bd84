"""The description of the API, where FastAPI's own says something else than what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from api.crew import Crew
from api.errors import MEDIA_TYPE, example_of


def described(app: FastAPI, crew: Crew) -> Callable[[], dict[str, Any]]:
    """Return what makes the description.

    Problems are told in the media type of problems, and the agents and what they can be told by their names.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_agents(_with_problems(make()), crew)
        return app.openapi_schema

    return openapi


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    for path in schema["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if int(status) >= 400 and "application/json" in content:
                    content[MEDIA_TYPE] = {
                        **content.pop("application/json"),
                        "example": example_of(int(status)),
                    }
    return schema


def _with_agents(schema: dict[str, Any], crew: Crew) -> dict[str, Any]:
    if crew.agents:
        fields = schema["components"]["schemas"]["RunRequest"]["properties"]
        fields["agent"]["enum"] = [agent.name for agent in crew.agents]
        fields["options"]["anyOf"] = [agent.options.model_json_schema() for agent in crew.agents]
        for name in ("type", "additionalProperties"):
            fields["options"].pop(name, None)
    return schema
