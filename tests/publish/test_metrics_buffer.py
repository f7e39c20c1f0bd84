"""What waits to be sent: bounded, in order, and every decision that is lost is counted once."""

from hypothesis import given
from hypothesis import strategies as st

from publish import metrics_buffer
from publish.metrics_buffer import BATCH, MetricsBuffer


def row(number: int, size: int = 0) -> dict[str, object]:
    return {"number": number, "prompt": "x" * size, "dropped": 0}


def test_the_newest_are_kept_and_the_next_row_tells_of_the_others() -> None:
    buffer = MetricsBuffer(capacity=3)
    assert [buffer.add(row(number)) for number in range(5)] == [True, True, True, False, False]
    batch = buffer.take()
    assert [waiting.row["number"] for waiting in batch] == [2, 3, 4]
    assert [waiting.row["dropped"] for waiting in batch] == [2, 0, 0]
    assert (len(buffer), buffer.dropped) == (3, 2)


def test_one_request_is_not_too_large() -> None:
    buffer = MetricsBuffer()
    for number in range(BATCH + 1):
        buffer.add(row(number))
    assert [len(buffer.take()), len(buffer.take())] == [BATCH, 1]
    for number in range(30):
        buffer.add(row(number, size=100_000))
    assert len(buffer.take()) == metrics_buffer.BATCH_BYTES // 100_000 - 1


def test_memory_is_bounded_where_prompts_are_kept() -> None:
    buffer = MetricsBuffer()
    for number in range(1_000):
        buffer.add(row(number, size=100_000))
    assert len(buffer) * 100_000 < metrics_buffer.MOST_BYTES
    assert buffer.dropped == 1_000 - len(buffer)


@given(st.lists(st.sampled_from(("add", "add", "add", "arrives", "returns")), max_size=60))
def test_nothing_is_lost_uncounted(luck: list[str]) -> None:
    buffer = MetricsBuffer(capacity=4)
    arrived: list[dict[str, object]] = []
    added = 0
    for one in [*luck, "arrives", "arrives"]:
        if one == "add":
            buffer.add(row(added))
            added += 1
            continue
        batch = buffer.take()
        if one == "returns":
            buffer.back(batch)
        else:
            buffer.settled(len(batch))
            arrived += [waiting.row for waiting in batch]
    assert len(buffer) == 0
    assert len(arrived) + buffer.dropped == added
    told = sum(int(str(each["dropped"])) for each in arrived)
    # Only what was dropped after the last one arrived is not told yet.
    assert told <= buffer.dropped
    assert [each["number"] for each in arrived] == sorted(int(str(each["number"])) for each in arrived)
    if luck and luck[-1] == "add":
        assert told == buffer.dropped
