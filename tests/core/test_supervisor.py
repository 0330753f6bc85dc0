"""The process tree: children end with their supervisor, crashed ones come back, the database ends last."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from flowdesk.__main__ import main, offered
from flowdesk.core.embedded.errors import StartFailed
from flowdesk.core.supervisor.backoff import LONGEST, STEADY_AFTER, Backoff
from flowdesk.core.supervisor.child import ChildSpec, pump
from flowdesk.core.supervisor.disk import tell_of_disk
from flowdesk.core.supervisor.parent_pipe import watch_parent_pipe
from flowdesk.core.supervisor.port import PortUnavailable, check_port
from flowdesk.core.supervisor.secret_key import ensure_secret_key
from flowdesk.core.supervisor.tree import ChildFailed, Supervisor
from tests.core.desk import CHECKOUT, PATIENCE, Desk, eventually, free_port, is_alive, started


def python(code: str, *, name: str = "child") -> ChildSpec:
    """A child that watches the pipe and runs `code`."""
    start = "from flowdesk.core.supervisor.parent_pipe import watch_supervisor; watch_supervisor();"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    return ChildSpec(name=name, command=[sys.executable, "-c", start + code], environment=environment)


SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


@dataclass
class Watched:
    """A supervisor in a thread, and what it showed."""

    supervisor: Supervisor
    shown: list[tuple[str, str]]
    failures: list[Exception] = field(default_factory=list)
    thread: threading.Thread | None = None
    is_ready: Callable[[], bool] = lambda: False

    def run(self, *specs: ChildSpec) -> None:
        def target() -> None:
            try:
                self.supervisor.run(specs, is_ready=self.is_ready, on_ready=lambda: None)
            except ChildFailed as error:
                self.failures.append(error)

        self.thread = threading.Thread(target=target, daemon=True)
        self.thread.start()

    def pids(self, name: str = "child") -> list[int]:
        return [int(line) for child, line in self.shown if child == name and line.isdecimal()]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    shown: list[tuple[str, str]] = []
    supervisor = Supervisor(
        logs=tmp_path / "logs", show=lambda name, line: shown.append((name, line)), stop_patience=3.0
    )
    watched = Watched(supervisor, shown)
    yield watched
    supervisor.ask_to_stop()
    if watched.thread is not None:
        watched.thread.join(PATIENCE)
    supervisor.stop()


# -- children -------------------------------------------------------------------------------------------


def test_a_childs_words_reach_the_terminal_and_its_log(watched: Watched, tmp_path: Path) -> None:
    watched.run(python("print('good morning', flush=True); import time; time.sleep(60)"))
    eventually("the line is shown", lambda: ("child", "good morning") in watched.shown)

    assert "good morning" in (tmp_path / "logs" / "child.log").read_text()


def test_a_long_line_is_short_on_the_terminal_and_whole_in_the_log(tmp_path: Path) -> None:
    shown: list[str] = []
    with tempfile.TemporaryFile() as words:
        words.write(b"x" * 5000 + b"\n\xff\n")
        words.seek(0)
        pump(words, name="web", log=tmp_path / "web.log", show=lambda _, line: shown.append(line))

    assert [len(line) for line in shown] == [160, 1]
    assert (tmp_path / "web.log").stat().st_size == 5003


def test_a_crashed_child_is_started_again(watched: Watched) -> None:
    watched.run(python(SLEEPER))
    eventually("the first is up", lambda: len(watched.pids()) == 1)
    os.kill(watched.pids()[0], signal.SIGKILL)
    eventually("the second is up", lambda: len(watched.pids()) == 2)

    assert is_alive(watched.pids()[1])
    assert any("ended (exit code -9)" in line for name, line in watched.shown if name == "flowdesk")


def test_a_child_whose_work_is_done_is_not_started_again(watched: Watched) -> None:
    once = replace(python("print(1, flush=True)", name="demo"), may_end=True)
    watched.run(once, python(SLEEPER))
    eventually("the other one is up", lambda: watched.pids() and watched.pids("demo"))
    time.sleep(1.0)  # longer than the first wait before a restart

    assert watched.pids("demo") == [1]
    assert not watched.failures


def test_a_child_that_may_wait_starts_when_the_desk_answers(watched: Watched) -> None:
    answers = threading.Event()
    watched.is_ready = answers.is_set
    watched.run(python(SLEEPER, name="web"), replace(python(SLEEPER, name="worker"), may_wait=True))
    eventually("the web is up", lambda: watched.pids("web"))
    waited = not watched.pids("worker")
    answers.set()
    eventually("the worker is up", lambda: watched.pids("worker"))

    assert waited


def test_a_child_does_not_wait_for_ever(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowdesk.core.supervisor.tree.LONGEST_WAIT", 0.1)
    watched.run(replace(python(SLEEPER, name="worker"), may_wait=True))

    eventually("the worker is up though no page is", lambda: watched.pids("worker"))


class FlakyDatabase:
    """A server that dies once, cannot start `failures` times, and then holds."""

    def __init__(self, failures: int) -> None:
        self.failures, self.starts = failures, 0
        self._dies = threading.Event()
        self._dies.set()

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self.failures:
            raise StartFailed("no room on the disk.")
        self._dies.clear()

    def stop(self) -> None:
        self._dies.set()

    def wait(self) -> None:
        self._dies.wait()


def test_a_server_that_does_not_start_again_is_tried_until_it_does(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdesk.core.supervisor.backoff.FIRST", 0.01)
    watched.supervisor.database = database = FlakyDatabase(failures=3)
    watched.run(python(SLEEPER))

    eventually("it holds", lambda: database.starts == 4)
    assert watched.failures == []
    told = [line for _, line in watched.shown if "no room on the disk" in line]
    assert len(told) == 3
    assert all("Trying again in" in line for line in told)


def test_a_disk_that_fills_and_empties_is_told_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    was_little = False
    for limit in (0, 10**18, 10**18, 0, 0):  # more than is free, and less
        monkeypatch.setattr("flowdesk.core.supervisor.disk.LITTLE", limit)
        was_little = tell_of_disk(tmp_path, lambda _, line: shown.append(line), was_little=was_little)

    assert ["almost full" in shown[0], "room again" in shown[1], len(shown)] == [True, True, 2]


def test_a_full_disk_does_not_stop_a_child(tmp_path: Path) -> None:
    shown: list[str] = []
    with tempfile.TemporaryFile() as words:
        words.write(b"one\ntwo\n")
        words.seek(0)
        (tmp_path / "web.log").symlink_to("/dev/full")
        pump(words, name="web", log=tmp_path / "web.log", show=lambda _, line: shown.append(line))

    assert shown == ["one", "two"]


def test_a_child_that_never_starts_is_given_up_with_its_log_named(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdesk.core.supervisor.backoff.FIRST", 0.01)
    watched.run(python("raise SystemExit(3)", name="web"))
    eventually("it is given up", lambda: watched.failures)

    assert "exit code 3" in str(watched.failures[0])
    assert "web.log" in str(watched.failures[0])


def test_stopping_ends_a_stubborn_child_and_what_it_started(watched: Watched) -> None:
    stubborn = (
        "import os, signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen(['sleep', '60']); print(os.getpid(), flush=True); print(p.pid, flush=True);"
        "time.sleep(60)"
    )
    watched.run(python(stubborn))
    eventually("both are up", lambda: len(watched.pids()) == 2)
    watched.supervisor.stop()

    eventually("both have ended", lambda: not any(map(is_alive, watched.pids())))


def test_restarts_wait_longer_each_time_and_start_over_after_a_steady_life() -> None:
    backoff = Backoff()
    waits = [backoff.after_a_life_of(0.1) for _ in range(10)]

    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(waits) == LONGEST
    assert backoff.after_a_life_of(STEADY_AFTER) == 0.5


def test_a_closing_pipe_is_noticed() -> None:
    reading, writing = os.pipe()
    closed = threading.Event()
    thread = watch_parent_pipe(reading, on_close=closed.set)
    noticed_early = closed.wait(0.05)
    os.close(writing)
    thread.join(PATIENCE)
    os.close(reading)

    assert not noticed_early
    assert closed.is_set()


def test_children_end_when_their_supervisor_is_killed() -> None:
    code = (
        "import sys; from pathlib import Path; from tests.core.test_supervisor import SLEEPER, python;"
        "from flowdesk.core.supervisor.tree import Supervisor;"
        "s = Supervisor(logs=Path(sys.argv[1]), show=lambda n, l: print(l, flush=True));"
        "s.run([python(SLEEPER), python(SLEEPER, name='two')], is_ready=lambda: False, on_ready=lambda: None)"
    )
    with (
        tempfile.TemporaryDirectory() as logs,
        subprocess.Popen(
            [sys.executable, "-c", code, logs], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        ) as supervisor,
    ):
        assert supervisor.stdout is not None
        pids = [int(supervisor.stdout.readline()) for _ in range(2)]
        were_up = all(map(is_alive, pids))
        supervisor.kill()
        eventually("both have ended", lambda: not any(map(is_alive, pids)))

    assert were_up


# -- the address ----------------------------------------------------------------------------------------


def test_a_taken_port_is_told_with_another_one_to_take() -> None:
    with socket.socket() as old_server:
        # What granian does: two servers that share a port like this would both start, and both answer.
        old_server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        old_server.bind(("127.0.0.1", 0))
        old_server.listen()
        port = old_server.getsockname()[1]

        with pytest.raises(PortUnavailable, match=f"{port} on 127.0.0.1 is taken.*PORT={port + 1}"):
            check_port(port, host="127.0.0.1")


def test_a_free_port_is_free_and_stays_so() -> None:
    port = free_port()

    check_port(port, host="127.0.0.1")
    check_port(port, host="127.0.0.1")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(PortUnavailable, match="between 1 and 65535"):
        check_port(port, host="127.0.0.1")


def test_an_unknown_address_is_told() -> None:
    with pytest.raises(PortUnavailable, match="unknown here"):
        check_port(8000, host="no.such.host.invalid")


# -- the commands ---------------------------------------------------------------------------------------


def test_every_command_is_offered_with_a_line_of_help() -> None:
    assert {"run", "web", "migrate"} <= set(offered())
    assert all(line and not line.endswith(".") for line in offered().values())


@pytest.mark.parametrize(
    "words", [["run", "--port", "99999"], ["run", "--port", "eight"], ["fly"], [], ["web", "--nonsense"]]
)
def test_bad_input_ends_with_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage: flowdesk" in capsys.readouterr().err


def test_a_taken_port_ends_run_before_a_database_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket() as old_server:
        Path(name).chmod(0o711)
        monkeypatch.setenv("FLOWDESK_DATA", name)
        old_server.bind(("127.0.0.1", 0))
        old_server.listen()
        code = main(["run", "--json", "--port", str(old_server.getsockname()[1])])

        assert code == 1
        assert "taken by another program" in json.loads(capsys.readouterr().err)["error"]
        assert not (Path(name) / "postgres").exists()


def test_the_signing_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = ensure_secret_key(tmp_path)

    assert len(key) >= 50
    assert ensure_secret_key(tmp_path) == key
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


# -- the whole of it ------------------------------------------------------------------------------------


def test_run_serves_until_asked_to_stop_and_then_leaves_nothing_behind(desk: Desk) -> None:
    answered, web = desk.answers(), desk.web_pids()
    desk.process.terminate()
    code = desk.process.wait(PATIENCE)

    assert (answered, code) == (True, 0)
    assert len(web) == 3
    assert not any(map(is_alive, web))
    assert desk.server_pid() == 0
    check_port(desk.port, host="127.0.0.1")


def test_a_second_run_on_the_folder_is_refused(desk: Desk) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "flowdesk", "run", "--port", str(free_port())],
        cwd=CHECKOUT,
        env={**os.environ, "FLOWDESK_DATA": str(desk.data)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"process {desk.process.pid}" in second.stderr
    assert desk.answers()


def test_after_a_killed_supervisor_the_next_adopts_its_server(desk: Desk) -> None:
    server, web = desk.server_pid(), desk.web_pids()
    desk.process.kill()
    desk.process.wait(PATIENCE)
    eventually("the web has ended", lambda: not any(map(is_alive, web)))
    outlived = is_alive(server)
    desk.close()
    next_one = started(desk.data, port=desk.port)
    next_one.wait_until_ready()
    desk.process = next_one.process

    assert outlived
    assert next_one.server_pid() == server
    assert any("Adopting" in str(line.get("line")) for line in next_one.said)
    assert next_one.answers()


def test_a_killed_server_comes_back_under_the_web(desk: Desk) -> None:
    server = desk.server_pid()
    os.kill(server, signal.SIGKILL)
    eventually("a new server is up", lambda: desk.server_pid() not in (0, server))

    assert desk.process.poll() is None
    assert desk.answers()


def test_a_killed_web_process_leaves_no_server_process_on_the_port(desk: Desk) -> None:
    before = desk.web_pids()
    os.kill(min(before), signal.SIGKILL)
    eventually("the old ones have ended", lambda: not any(map(is_alive, before)))
    eventually("the new ones answer", desk.answers)

    assert len(desk.web_pids()) == 3
