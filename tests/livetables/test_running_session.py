"""What a script may ask of its session, outside of a script: nothing happens, nothing fails."""

from livetables import running_session
from livetables.engine import Engine
from livetables.feed.status import FeedState


def test_outside_of_a_script_nothing_is_bound(engine: Engine) -> None:
    running_session.bind_session(engine, None)
    running_session.begin_run()
    running_session.enter_fragment(["things"])
    running_session.look_at("somewhere")
    running_session.choose("things", ())
    assert not engine.sessions


def test_outside_of_a_script_nothing_is_known_of_a_table() -> None:
    assert not running_session.is_loading("things")
    assert not running_session.load_older("things")
    assert running_session.refusal("things") is None
    assert running_session.connection().state is FeedState.CONNECTING


def test_outside_of_a_script_a_fragment_just_runs() -> None:
    shown: list[str] = []
    with running_session.rendering(["things"], ["time_zone"], (), shared=True):
        shown.append("body")
    assert shown == ["body"]
