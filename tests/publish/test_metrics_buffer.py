"""The buffer of decisions: bounded, in order, and every dropped decision is counted once."""

from hypothesis import given
from hypothesis import strategies as st

from publish import metrics_buffer
from publish.metrics_buffer import BATCH, MetricsBuffer


def row(number: int, size: int = 0) -> dict[str, object]:
    return {"number": number, "prompt": "x" * size, "dropped": 0}


def test_the_newest_are_kept_and_the_next_row_counts_the_dropped() -> None:
    buffer = MetricsBuffer(capacity=3)
    assert [buffer.add(row(number)) for number in range(5)] == [True, True, True, False, False]
    batch = buffer.take()
    assert [buffered.row["number"] for buffered in batch] == [2, 3, 4]
    assert [buffered.row["dropped"] for buffered in batch] == [2, 0, 0]
    assert (len(buffer), buffer.dropped) == (3, 2)


def test_a_batch_has_limited_rows_and_bytes() -> None:
    buffer = MetricsBuffer()
    for number in range(BATCH + 1):
        buffer.add(row(number))
    assert [len(buffer.take()), len(buffer.take())] == [BATCH, 1]
    for number in range(30):
        buffer.add(row(number, size=100_000))
    assert len(buffer.take()) == metrics_buffer.BATCH_BYTES // 100_000 - 1


def test_memory_is_bounded_where_prompts_are_stored() -> None:
    buffer = MetricsBuffer()
    for number in range(1_000):
        buffer.add(row(number, size=100_000))
    assert len(buffer) * 100_000 < metrics_buffer.MAX_BYTES
    assert buffer.dropped == 1_000 - len(buffer)


@given(st.lists(st.sampled_from(("add", "add", "add", "arrives", "returns")), max_size=60))
def test_every_lost_decision_is_counted(steps: list[str]) -> None:
    buffer = MetricsBuffer(capacity=4)
    arrived: list[dict[str, object]] = []
    added = 0
    for step in [*steps, "arrives", "arrives"]:
        if step == "add":
            buffer.add(row(added))
            added += 1
            continue
        batch = buffer.take()
        if step == "returns":
            buffer.put_back(batch)
        else:
            buffer.discard(len(batch))
            arrived += [buffered.row for buffered in batch]
    assert len(buffer) == 0
    assert len(arrived) + buffer.dropped == added
    reported = sum(int(str(each["dropped"])) for each in arrived)
    # Drops after the last row arrived are not reported yet.
    assert reported <= buffer.dropped
    assert [each["number"] for each in arrived] == sorted(int(str(each["number"])) for each in arrived)
    if steps and steps[-1] == "add":
        assert reported == buffer.dropped
