"""Corrects the OpenAPI schema where FastAPI's own differs from what the API does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from api.agent_registry import AgentRegistry
from api.errors import MEDIA_TYPE, example_of


def schema_factory(app: FastAPI, registry: AgentRegistry) -> Callable[[], dict[str, Any]]:
    """Return the function that makes the schema of the application.

    In it, problems have their media type, and the agents of the registry are listed with their options.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_agents(_with_problems(make()), registry)
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


def _with_agents(schema: dict[str, Any], registry: AgentRegistry) -> dict[str, Any]:
    if registry.agents:
        fields = schema["components"]["schemas"]["RunRequest"]["properties"]
        fields["agent"]["enum"] = [agent.name for agent in registry.agents]
        fields["options"]["anyOf"] = [agent.options.model_json_schema() for agent in registry.agents]
        for name in ("type", "additionalProperties"):
            fields["options"].pop(name, None)
    return schema
