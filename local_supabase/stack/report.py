"""The report of the command `status`, for people and for programs."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

import httpx

from local_supabase.stack.datadir import DataDir, Phase, RunState

_HEALTH_SECONDS = 5.0


class Health(StrEnum):
    """The state of a stack."""

    STOPPED = "stopped"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Report:
    """The report about one stack.

    Arguments:
        health: the stack's state.
        message: what the supervisor is doing, or why it failed.
        data_dir: the data folder.
        project: the project folder.
        url: the gateway's base URL.
        anon_key: the public API key.
        service_key: the API key that bypasses row-level security.
        database_url: the connection URL of `postgres`, the owner of the project's objects.
        mailbox_url: the address of the mailbox, which holds a secret.
        uptime: for how many seconds the supervisor has been running.
        restarts: how often Postgres, the gateway or Realtime was restarted.
        services: the state of each service by name; None if the gateway does not answer.
        disk_free: the free bytes on the data folder's disk.
    """

    health: Health
    message: str
    data_dir: str
    project: str
    url: str
    anon_key: str
    service_key: str
    database_url: str
    mailbox_url: str
    uptime: float
    restarts: int
    services: dict[str, str] | None
    disk_free: int

    def as_record(self) -> dict[str, object]:
        """Return the report as a dictionary for JSON."""
        return asdict(self)


def examine(data_dir: DataDir) -> Report:
    """Return the report about the stack of a data folder. It asks the gateway if the stack is ready."""
    state = data_dir.running_state()
    services = _fetch_services(state) if state is not None and state.phase is Phase.READY else None
    shown = state or RunState(Phase.STOPPING)
    return Report(
        health=_health(data_dir, state, services),
        message=_message(data_dir, state),
        data_dir=str(data_dir.root),
        project=shown.project,
        url=shown.url,
        anon_key=shown.anon_key,
        service_key=shown.service_key,
        database_url=shown.database_url,
        mailbox_url=shown.mailbox_url,
        uptime=_uptime(shown),
        restarts=shown.restarts,
        services=services,
        disk_free=shutil.disk_usage(data_dir.root).free if data_dir.root.exists() else 0,
    )


def lines(report: Report) -> list[str]:
    """Return the report as lines for a person."""
    if report.health is Health.STOPPED:
        return ["stopped", *([f"  why: {report.message}"] if report.message else [])]
    text = [
        f"SUPABASE_URL={report.url}",
        f"SUPABASE_KEY={report.anon_key}",
        f"SUPABASE_SERVICE_KEY={report.service_key}",
        f"DATABASE_URL={report.database_url}",
        f"MAILBOX_URL={report.mailbox_url}",
    ]
    text.append(f"{report.health} for {report.uptime:.0f} s, {report.restarts} restarts of a part")
    text.append(f"  data: {report.data_dir} ({report.disk_free / 1e9:.1f} GB free), logs in its folder log")
    if report.services is not None:
        text += [f"  {name}: {health}" for name, health in report.services.items()]
    if report.message:
        text.append(f"  {report.message}")
    return text


def _fetch_services(state: RunState) -> dict[str, str] | None:
    try:
        response = httpx.get(f"{state.url}/health", timeout=_HEALTH_SECONDS, trust_env=False)
        services = response.json()["services"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return {str(name): str(health) for name, health in services.items()}


def _health(data_dir: DataDir, state: RunState | None, services: dict[str, str] | None) -> Health:
    if state is None:
        # A supervisor takes the lock before it publishes its first state.
        return Health.STARTING if data_dir.is_running() else Health.STOPPED
    if state.phase is Phase.STARTING:
        return Health.STARTING
    healthy = services is not None and services.get("database") == "ok"
    return Health.HEALTHY if healthy else Health.UNHEALTHY


def _message(data_dir: DataDir, state: RunState | None) -> str:
    if state is not None:
        return state.message
    last_state = data_dir.read_state()
    return last_state.message if last_state is not None and last_state.phase is Phase.FAILED else ""


def _uptime(state: RunState) -> float:
    if not state.started_at:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(state.started_at)).total_seconds()
