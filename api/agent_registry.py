"""The agents that can be started through the API, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from api.errors import FieldProblem, InvalidInputError
from publish.background import Work


class Options(BaseModel):
    """The base of the options of an agent. Unknown options are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent: its name, the model of its options, and a function from options to the work of a run.

    `prepare` raises pydantic's `ValidationError` for options that do not fit the model.
    """

    name: str
    description: str
    options: type[Options]
    prepare: Callable[[Mapping[str, object]], Work]

    def work(self, options: Mapping[str, object]) -> Work:
        """Return the work of a run. Raises `InvalidInputError` for options that do not fit."""
        try:
            return self.prepare(options)
        except ValidationError as error:
            text = f"The agent {self.name} does not understand these options."
            raise InvalidInputError(text, fields=_fields(error)) from error


def _fields(error: ValidationError) -> list[FieldProblem]:
    return [
        FieldProblem(place="body", field=".".join(("options", *map(str, one["loc"]))), message=one["msg"])
        for one in error.errors(include_input=False, include_url=False)
    ]


class AgentRegistry:
    """The agents of one API."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._agents = {agent.name: agent for agent in agents}

    @property
    def agents(self) -> Sequence[Agent]:
        """All agents, sorted by name."""
        return [self._agents[name] for name in sorted(self._agents)]

    def find(self, name: str) -> Agent | None:
        """Return the agent of this name, or None."""
        return self._agents.get(name)

    def require(self, name: str) -> Agent:
        """Return the agent of this name. Raises `InvalidInputError` if there is none."""
        if (agent := self._agents.get(name)) is None:
            text = f"There is no such agent here. There is: {', '.join(sorted(self._agents))}."
            raise InvalidInputError(text, fields=[FieldProblem(place="body", field="agent", message=text)])
        return agent
