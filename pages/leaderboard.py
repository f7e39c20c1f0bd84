"""Leaderboard: who rates how much and how well, and which candidates raters prefer."""

from __future__ import annotations

from ui.base import layout, session
from ui.ratings.candidates import show_candidates
from ui.ratings.join import TENANT_MEANS
from ui.ratings.leaderboard import show_raters
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app


def show() -> None:
    layout.page_head("Leaderboard", "Who rates, how well raters agree, and which candidate they prefer.")
    if session.signed_in() is None:
        invite("🏆", "Sign in to see the leaderboard", f"It is for the raters of a tenant. {TENANT_MEANS}")
        return
    show_raters()
    show_candidates()


if __name__ == "__main__":
    run_whole_app()
