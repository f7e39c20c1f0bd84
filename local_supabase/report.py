"""What `status` tells about a stack, for people and for programs."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

import httpx

from local_supabase.datadir import DataDir, Phase, RunState

_HEALTH_SECONDS = 5.0


class Health(StrEnum):
    """How the stack is."""

    STOPPED = "stopped"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Report:
    """The state of one stack. Sizes in bytes; `uptime` in seconds; `services` by name, None where unknown."""

    health: Health
    message: str
    data_dir: str
    project: str
    url: str
    anon_key: str
    service_key: str
    database_url: str
    uptime: float
    restarts: int
    services: dict[str, str] | None
    disk_free: int

    def as_record(self) -> dict[str, object]:
        """Return the report for JSON."""
        return asdict(self)


def examine(data_dir: DataDir) -> Report:
    """Look at the stack of a data folder, running or not; asks the gateway when there is one."""
    state = data_dir.running_state()
    answer = _ask(state) if state is not None and state.phase is Phase.READY else None
    shown = state or RunState(Phase.STOPPING)
    return Report(
        health=_health(data_dir, state, answer),
        message=_message(data_dir, state),
        data_dir=str(data_dir.root),
        project=shown.project,
        url=shown.url,
        anon_key=shown.anon_key,
        service_key=shown.service_key,
        database_url=shown.database_url,
        uptime=_uptime(shown),
        restarts=shown.restarts,
        services=answer,
        disk_free=shutil.disk_usage(data_dir.root).free if data_dir.root.exists() else 0,
    )


def lines(report: Report) -> list[str]:
    """Write the report for a person."""
    if report.health is Health.STOPPED:
        return ["stopped", *([f"  why: {report.message}"] if report.message else [])]
    text = [
        f"SUPABASE_URL={report.url}",
        f"SUPABASE_KEY={report.anon_key}",
        f"SUPABASE_SERVICE_KEY={report.service_key}",
        f"DATABASE_URL={report.database_url}",
    ]
    text.append(f"{report.health} for {report.uptime:.0f} s, {report.restarts} restarts of a part")
    text.append(f"  data: {report.data_dir} ({report.disk_free / 1e9:.1f} GB free), logs in its folder log")
    if report.services is not None:
        text += [f"  {name}: {health}" for name, health in report.services.items()]
    if report.message:
        text.append(f"  {report.message}")
    return text


def _ask(state: RunState) -> dict[str, str] | None:
    try:
        answer = httpx.get(f"{state.url}/health", timeout=_HEALTH_SECONDS, trust_env=False)
        services = answer.json()["services"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return {str(name): str(health) for name, health in services.items()}


def _health(data_dir: DataDir, state: RunState | None, services: dict[str, str] | None) -> Health:
    if state is None:
        # The lock is taken before the first word is written.
        return Health.STARTING if data_dir.is_running() else Health.STOPPED
    if state.phase is Phase.STARTING:
        return Health.STARTING
    healthy = services is not None and services.get("database") == "ok"
    return Health.HEALTHY if healthy else Health.UNHEALTHY


def _message(data_dir: DataDir, state: RunState | None) -> str:
    if state is not None:
        return state.message
    left = data_dir.read_state()
    return left.message if left is not None and left.phase is Phase.FAILED else ""


def _uptime(state: RunState) -> float:
    if not state.started_at:
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(state.started_at)).total_seconds()
