"""Which transactions a replay's snapshot saw."""

import pytest

from local_supabase.realtime.replay import ReplayError, ReplayRequest, Snapshot, read_replay


def test_a_snapshot_sees_what_was_committed_before_it() -> None:
    snapshot = Snapshot.parse("90:100:92,95")
    assert [xid for xid in range(88, 103) if snapshot.sees(xid)] == [88, 89, 90, 91, 93, 94, 96, 97, 98, 99]


def test_a_snapshot_without_running_transactions() -> None:
    snapshot = Snapshot.parse("100:100:")
    assert (snapshot.sees(99), snapshot.sees(100)) == (True, False)


def test_transaction_ids_of_the_log_have_no_epoch_and_wrap_around() -> None:
    epoch = 2**32
    snapshot = Snapshot.parse(f"{epoch - 10}:{epoch + 5}:{epoch - 10},{epoch + 3}")
    candidates = [epoch - 11, epoch - 10, epoch - 9, epoch - 1, 2, 3, 4, 5]
    assert [xid for xid in candidates if snapshot.sees(xid)] == [epoch - 11, epoch - 9, epoch - 1, 2, 4]


def test_the_limit_is_clamped_and_both_parameters_have_defaults() -> None:
    assert read_replay({}).limit == 25
    assert read_replay({"limit": 500}).limit == 25
    assert read_replay({"limit": 0}).limit == 1
    request = read_replay({"since": 1000, "limit": None})
    assert request == ReplayRequest(request.since, 25)
    assert request.since.timestamp() == 1


@pytest.mark.parametrize("raw", [None, [], {"limit": "3"}, {"since": True}, {"since": 10**30}])
def test_parameters_that_are_no_numbers_are_refused(raw: object) -> None:
    with pytest.raises(ReplayError, match="Replay params are not valid"):
        read_replay(raw)
