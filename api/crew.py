"""The agents that can be started through the API, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from api.errors import FieldProblem, Wrong
from publish.background import Work


class Options(BaseModel):
    """What an agent can be told."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent: what it can be told, and the work that it makes of that.

    `prepare` raises pydantic's `ValidationError` for options that are not of the kind `options`.
    """

    name: str
    description: str
    options: type[Options]
    prepare: Callable[[Mapping[str, object]], Work]

    def work(self, options: Mapping[str, object]) -> Work:
        """Return its work. Raises `Wrong` for options that it does not understand."""
        try:
            return self.prepare(options)
        except ValidationError as error:
            text = f"The agent {self.name} does not understand these options."
            raise Wrong(text, fields=_fields(error)) from error


def _fields(error: ValidationError) -> list[FieldProblem]:
    return [
        FieldProblem(place="body", field=".".join(("options", *map(str, one["loc"]))), message=one["msg"])
        for one in error.errors(include_input=False, include_url=False)
    ]


class Crew:
    """All of them."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._agents = {agent.name: agent for agent in agents}

    @property
    def agents(self) -> Sequence[Agent]:
        """Return them, by their names."""
        return [self._agents[name] for name in sorted(self._agents)]

    def find(self, name: str) -> Agent | None:
        """Return the agent of this name, if it is here."""
        return self._agents.get(name)

    def known(self, name: str) -> Agent:
        """Return the agent of this name. Raises `Wrong`."""
        if (agent := self._agents.get(name)) is None:
            text = f"There is no such agent here. There is: {', '.join(sorted(self._agents))}."
            raise Wrong(text, fields=[FieldProblem(place="body", field="agent", message=text)])
        return agent
