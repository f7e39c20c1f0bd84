"""Runs of agents: start, look at, cancel, try again."""

from __future__ import annotations

from fastapi import APIRouter

from api.auth import SignedInCaller

router = APIRouter(prefix="/agents", tags=["Agents"])


@router.get("/runs")
async def runs(me: SignedInCaller) -> dict[str, str]:
    """List runs."""
    return {"me": me.user_id}
