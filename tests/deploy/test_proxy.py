"""nginx in front of several processes: one browser, one process, and another one when that is gone."""

import re
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from deploy.proxy import nginx_conf, tavern_conf
from tests.deploy.conftest import House

COOKIE = "tavern_process"
PATHS = ("/", "/events", "/media/abc.csv", "/static/js/index.js", "/component/x", "/api/agents")


def browser(house: House, process: int | None = None) -> httpx.Client:
    """Return a browser that one process serves, or a new one."""
    cookies = {} if process is None else {COOKIE: str(process)}
    return httpx.Client(base_url=house.url, cookies=cookies)


def served_by(answer: httpx.Response) -> int:
    return int(answer.raise_for_status().json()["process"])


def stream(house: House, process: int | None = None) -> tuple[int, str]:
    """Open a websocket as a page does; return which process took it, and the cookie that was set."""
    headers = {} if process is None else {"Cookie": f"{COOKIE}={process}"}
    url = house.url.replace("http", "ws", 1)
    with connect(f"{url}/_stcore/stream", additional_headers=headers) as socket:
        taken = int(socket.recv())
        assert socket.response is not None
        return taken, socket.response.headers["Set-Cookie"]


def test_everything_of_a_browser_is_served_by_one_process(house: House) -> None:
    with browser(house) as one:
        first = served_by(one.get("/"))
        assert one.cookies[COOKIE] == str(first)
        assert [served_by(one.get(path)) for path in PATHS] == [first] * len(PATHS)
        upload = one.put("/_stcore/upload_file/session/file", content=b"x" * 2_000_000)
        assert (served_by(upload), served_by(one.get("/_stcore/health"))) == (first, first)
    assert stream(house, first) == (first, f"{COOKIE}={first}; Path=/; HttpOnly; SameSite=Lax")


def test_new_browsers_are_spread_over_all_processes(house: House) -> None:
    found = []
    for _ in range(6):
        with browser(house) as one:
            found.append(served_by(one.get("/")))
    assert sorted(found) == [1, 1, 2, 2, 3, 3]


def test_only_a_new_browser_or_a_websocket_changes_the_process(house: House) -> None:
    with browser(house, 2) as one:
        assert "set-cookie" not in one.get("/").headers
        assert "set-cookie" not in one.get("/media/abc.csv").headers
    with browser(house) as other:
        assert "set-cookie" not in other.get("/api/agents").headers


def test_people_of_a_process_that_is_gone_move_together_and_stay_there(house: House) -> None:
    house.processes[0].stop()
    moved = [stream(house, 1) for _ in range(5)]
    assert moved == [(2, f"{COOKIE}=2; Path=/; HttpOnly; SameSite=Lax")] * 5
    house.processes[0].start()
    # Their websockets are there, so everything else goes there as well.
    with browser(house, 2) as one:
        assert served_by(one.put("/_stcore/upload_file/session/file", content=b"x")) == 2
        assert [served_by(one.get(path)) for path in PATHS] == [2] * len(PATHS)


def test_whoever_has_lost_two_processes_is_served_by_the_third(house: House) -> None:
    house.processes[0].stop()
    house.processes[1].stop()
    assert stream(house, 1)[0] == 3
    with browser(house, 2) as one:
        assert served_by(one.get("/events")) == 3


def test_a_page_asks_after_its_own_process_only(house: House) -> None:
    house.processes[0].stop()
    with browser(house, 1) as one:
        assert one.get("/_stcore/health?page").status_code == 502
        # While it connects again it asks for any.
        assert served_by(one.get("/_stcore/health")) == 2
        assert served_by(one.get("/_stcore/host-config")) == 2


def test_while_no_process_is_there_the_page_says_so_and_tries_again(house: House) -> None:
    for process in house.processes:
        process.stop()
    with browser(house) as one:
        answer = one.get("/events")
    assert (answer.status_code, answer.headers["refresh"]) == (503, "2")
    assert "Tavern is starting" in answer.text


def test_programs_at_one_address_meet_one_process(house: House) -> None:
    found = set()
    for _ in range(4):
        with browser(house) as program:
            found |= {served_by(program.get("/api/stream")), served_by(program.get("/house/api/agents"))}
    assert len(found) == 1


def test_a_process_sees_who_asks_as_it_would_without_nginx(house: House) -> None:
    with browser(house, 1) as one:
        seen = one.get("/").json()["headers"]
        behind = one.get("/", headers={"X-Forwarded-For": "203.0.113.9"}).json()["headers"]
    assert seen["host"] == house.url.removeprefix("http://")
    assert seen["x-forwarded-proto"] == "http"
    # A browser on this machine is one still: only then may it see the demo.
    assert "x-forwarded-for" not in seen
    assert behind["x-forwarded-for"] == "203.0.113.9"


def test_the_configuration_names_every_process_and_no_placeholder_is_left() -> None:
    text = tavern_conf(["10.0.0.1:80", "10.0.0.2:80"], listen="443 ssl", server_name="tavern.example.org")
    assert re.findall("@[A-Z_]+@", text) == []
    assert r'"~(^|, )10\.0\.0\.2:80$" 2;' in text
    assert "listen 443 ssl;" in text
    assert "server_name tavern.example.org;" in text


@pytest.mark.parametrize("left_out", ["", "--without-http_uwsgi_module"])
def test_directives_of_modules_that_nginx_lacks_are_left_out(left_out: str, tmp_path: Path) -> None:
    text = nginx_conf(tmp_path, f"configure arguments: {left_out}")
    assert ("uwsgi_temp_path" in text) == (not left_out)
    assert f'client_body_temp_path "{tmp_path}/client_body";' in text
