from pathlib import Path

from local_supabase.stack import logs


def test_a_log_is_limited_to_its_size_and_one_older_file(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    with log.open("ab") as writer:
        for _ in range(5):
            writer.write(b"x" * 600)
            writer.flush()
            logs.bound(log, limit=1000)
    assert log.stat().st_size + log.with_name("some.log.1").stat().st_size <= 2 * 1600


def test_a_small_or_missing_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "some.log"
    logs.bound(log, limit=10)
    assert not log.exists()
    log.write_text("0123456789")
    logs.bound(log, limit=10)
    assert log.read_text() == "0123456789"
    assert list(tmp_path.iterdir()) == [log]
