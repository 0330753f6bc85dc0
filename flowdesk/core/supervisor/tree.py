"""The process tree of `flowdesk run`: database first, children over it, and down in the opposite order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

from flowdesk.core.embedded.errors import DatabaseUnavailable, StartCalledOff
from flowdesk.core.supervisor.backoff import Backoff
from flowdesk.core.supervisor.child import Child, ChildSpec, Show
from flowdesk.core.supervisor.disk import watch_disk

STOP_PATIENCE = 12.0  # seconds the children have, all together, before they are killed
TOO_SOON = 5.0  # seconds of life of a database server that did not really start
HOPELESS_AFTER = 4  # deaths in a row of a child before anything ever worked
LONGEST_WAIT = (
    3.0  # seconds that a child gives way to those the first page needs; clocks must not stand for them
)


class Database(Protocol):
    """The server the children stand on; an external one is nobody's child and has no Database here."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def wait(self) -> None: ...


class ChildFailed(Exception):
    """A child process does not start."""


@dataclass(frozen=True, slots=True)
class _Ended:
    name: str
    code: int
    child: Child


@dataclass(frozen=True, slots=True)
class _DatabaseEnded:
    pass


@dataclass(frozen=True, slots=True)
class _DatabaseDue:
    pass


@dataclass(frozen=True, slots=True)
class _Ready:
    pass


@dataclass(frozen=True, slots=True)
class _Asked:
    signal: int


_News = _Ended | _DatabaseEnded | _DatabaseDue | _Ready | _Asked


@dataclass(kw_only=True)
class Supervisor:
    """Starts, restarts and ends; one thread decides, the others only bring news."""

    logs: Path
    show: Show
    database: Database | None = None
    stop_patience: float = STOP_PATIENCE
    _news: SimpleQueue[_News] = field(default_factory=SimpleQueue)
    _children: dict[str, Child] = field(default_factory=dict)
    _born: dict[str, float] = field(default_factory=dict)
    _backoffs: dict[str, Backoff] = field(default_factory=dict)
    _due: dict[str, tuple[float, ChildSpec]] = field(default_factory=dict)  # restarts to come
    _stopping: bool = False
    _was_ready: bool = False
    _database_since: float = 0.0
    _database_backoff: Backoff = field(default_factory=lambda: Backoff(steady_after=TOO_SOON))

    def __post_init__(self) -> None:
        # Ours alone is the writing end: when this process ends, however it ends, every child's read returns.
        self._pipe, self._our_end = os.pipe()

    def listen_for_signals(self) -> None:
        """Let Ctrl-C, SIGTERM and a closed terminal mean: stop everything, in order."""

        def asked(number: int, _: FrameType | None) -> None:
            self._news.put(_Asked(number))

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup's wish
            signal.signal(number, asked)

    def ask_to_stop(self) -> None:
        """What a signal does, from another thread."""
        self._news.put(_Asked(signal.SIGTERM))

    def was_asked_to_stop(self) -> bool:
        """Whether a signal arrived before the children were started."""
        try:
            news = self._news.get_nowait()
        except Empty:
            return False
        self._news.put(news)
        return isinstance(news, _Asked)

    def run_once(self, spec: ChildSpec) -> int:
        """Run a child to its end, before the others (migrations); its exit code."""
        child = self._spawn(spec)
        self._children[spec.name] = child
        while True:
            try:
                code = child.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if self.was_asked_to_stop():
                    child.terminate()
            else:
                del self._children[spec.name]
                return code

    def run(
        self, specs: Sequence[ChildSpec], *, is_ready: Callable[[], bool], on_ready: Callable[[], None]
    ) -> int:
        """Keep the children running until asked to stop; the exit code of the whole."""
        for spec in specs:
            if spec.may_wait:
                self._due[spec.name] = (time.monotonic() + LONGEST_WAIT, spec)
            else:
                self._start(spec)
        threading.Thread(target=self._await_ready, args=(is_ready,), daemon=True).start()
        threading.Thread(target=watch_disk, args=(self.logs, self.show), daemon=True).start()
        if self.database is not None:
            self._watch_database(self.database)
        while True:
            news = self._next_news()
            if isinstance(news, _Asked):
                return 0
            if isinstance(news, _Ready):
                self._was_ready = True
                self._start_those_who_waited()
                on_ready()
            elif isinstance(news, _DatabaseEnded):
                self._after_the_database_ended()
            elif isinstance(news, _DatabaseDue):
                self._start_database()
            elif isinstance(news, _Ended):
                self._plan_restart(news)

    def stop(self) -> None:
        """End the children together, then the database they write to."""
        self._stopping = True
        self._due.clear()
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + self.stop_patience
        for name, child in self._children.items():
            try:
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.show("flowdesk", f"{name} has not ended within {self.stop_patience:.0f} s; killing it.")
            child.kill()  # also the workers of a child that ended without them
        self._children.clear()
        if self.database is not None:
            self.database.stop()

    # -- children -------------------------------------------------------------------------------------

    def _spawn(self, spec: ChildSpec) -> Child:
        return Child(spec, pipe=self._pipe, log=self.logs / f"{spec.name}.log", show=self.show)

    def _start(self, spec: ChildSpec) -> None:
        child = self._spawn(spec)
        self._children[spec.name] = child
        self._born[spec.name] = time.monotonic()
        threading.Thread(target=self._await_end, args=(spec.name, child), daemon=True).start()

    def _start_those_who_waited(self) -> None:
        for name, (_, spec) in list(self._due.items()):
            if spec.may_wait and name not in self._born:  # one that crashed has its own wait to keep
                self._due[name] = (time.monotonic(), spec)

    def _await_end(self, name: str, child: Child) -> None:
        self._news.put(_Ended(name, child.wait(), child))

    def _plan_restart(self, news: _Ended) -> None:
        if self._children.get(news.name) is not news.child:
            return
        news.child.kill()  # what it started must not go on beside its successor
        if news.code == 0 and news.child.spec.may_end:
            del self._children[news.name]
            return
        backoff = self._backoffs.setdefault(news.name, Backoff())
        wait = backoff.after_a_life_of(time.monotonic() - self._born[news.name])
        if not self._was_ready and backoff.failures >= HOPELESS_AFTER:
            raise ChildFailed(
                f"{news.name} does not start (it ended {backoff.failures} times, exit code {news.code}); "
                f"see {self.logs / (news.name + '.log')}."
            )
        self.show("flowdesk", f"{news.name} ended (exit code {news.code}); starting it again in {wait:g} s.")
        self._due[news.name] = (time.monotonic() + wait, news.child.spec)

    def _next_news(self) -> _News:
        """The next thing that happened; meanwhile restarts that have come due are done."""
        while True:
            now = time.monotonic()
            for name, (due, spec) in list(self._due.items()):
                if due <= now:
                    del self._due[name]
                    self._start(spec)
            next_due = min((due for due, _ in self._due.values()), default=now + 3600.0)
            try:
                return self._news.get(timeout=max(0.01, next_due - now))
            except Empty:
                continue

    def _await_ready(self, is_ready: Callable[[], bool]) -> None:
        while not self._stopping:
            if is_ready():
                self._news.put(_Ready())
                return
            time.sleep(0.05)

    # -- database -------------------------------------------------------------------------------------

    def _watch_database(self, database: Database) -> None:
        self._database_since = time.monotonic()

        def await_end() -> None:
            database.wait()
            self._news.put(_DatabaseEnded())

        threading.Thread(target=await_end, daemon=True).start()

    def _after_the_database_ended(self) -> None:
        self.show("flowdesk", "The database server ended; starting it again.")
        wait = self._database_backoff.after_a_life_of(time.monotonic() - self._database_since)
        if self._database_backoff.failures == 1:
            self._start_database()
        else:  # one that dies at once is not helped by a hundred tries a second
            self._start_database_in(wait)

    def _start_database(self) -> None:
        """Try, and go on trying: what keeps a server down that once ran (a full disk) may pass."""
        assert self.database is not None
        try:
            self.database.start()
        except StartCalledOff:
            return  # the wish to stop is the next news
        except DatabaseUnavailable as error:
            wait = self._database_backoff.after_a_life_of(0.0)
            self.show("flowdesk", f"{error} Trying again in {wait:g} s.")
            self._start_database_in(wait)
        else:
            self._watch_database(self.database)

    def _start_database_in(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._news.put, [_DatabaseDue()])
        timer.daemon = True
        timer.start()
