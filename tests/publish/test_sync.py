"""The publisher for programs without an event loop, and for many threads."""

import threading
from datetime import timedelta

import pytest

from publish import PublisherClosedError, SyncAgentEventPublisher, UndeliveredError
from tests.publish.conftest import Bench


def test_many_threads_publish_through_one(bench: Bench) -> None:
    runs: dict[int, str] = {}

    def work(number: int) -> None:
        run = runs[number] = publisher.start_run(agent_name=f"worker {number}")
        for step in range(20):
            publisher.update_progress(run, f"Step {step}", step * 5)
            publisher.log(run, f"line {step}")
        publisher.complete_run(run, number)

    with SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token) as publisher:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number, run in runs.items():
        assert (bench.run(run)["status"], bench.run(run)["result"]) == ("completed", number)
        assert bench.log(run) == [f"line {step}" for step in range(20)]


def test_it_leaves_no_thread_behind(bench: Bench) -> None:
    before = threading.active_count()
    publisher = SyncAgentEventPublisher(bench.proxy.url, bench.key, bench.token)
    bench.proxy.refuse()
    publisher.start_run(agent_name="lost")
    with pytest.raises(UndeliveredError):
        publisher.close(timedelta(milliseconds=100))
    publisher.close()
    assert threading.active_count() == before
    with pytest.raises(PublisherClosedError):
        publisher.start_run(agent_name="late")
