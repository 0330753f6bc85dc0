"""`flowdesk doctor`: each thing is really broken, and the doctor says so and how to mend it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from flowdesk.__main__ import main
from flowdesk.accounts.audit_chain import seal_audit
from flowdesk.accounts.models import Tenant
from flowdesk.config.commands import recount
from flowdesk.config.doctor import audit, database, machine, work
from flowdesk.config.doctor.machine import Machine
from flowdesk.config.doctor.outcome import Outcome, State
from flowdesk.config.doctor.rounds import examine
from flowdesk.core import time as clock
from flowdesk.core.embedded.lock import FolderLock, holder
from flowdesk.flows import receive
from flowdesk.notifications.services import dispatch
from flowdesk.worker.jobs.beat import Pulse
from tests.builders import MONDAY_9, a_customer, a_message, a_world
from tests.core.desk import CHECKOUT, free_port
from tests.database import ThrowawayDatabase

on_a_database = pytest.mark.django_db(databases=["default", "owner", "worker"], transaction=True)


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    tmp_path.chmod(0o700)
    return Machine(folder=tmp_path, environment={}, host="127.0.0.1", port=free_port(), holder=None)


def with_settings(here: Machine, **environment: str) -> Machine:
    return replace(here, environment=environment)


def is_told(outcome: Outcome, state: State, *words: str) -> None:
    assert outcome.state is state
    assert outcome.mend or state is State.OK
    for word in words:
        assert word in f"{outcome.says} {outcome.mend}"


# -- the machine ----------------------------------------------------------------------------------------


def test_a_sound_machine_is_in_order(here: Machine) -> None:
    states = {name: outcome.state for name, outcome in examine(machine.CHECKS, here)}

    assert states == dict.fromkeys(machine.CHECKS, State.OK) | {"mail": State.WARNING}


def test_a_secret_that_others_can_read_is_told(here: Machine) -> None:
    key = here.folder / "secret-key"
    key.write_text("k" * 50)
    key.chmod(0o644)

    is_told(machine.data_folder(here), State.PROBLEM, "secret-key", f"chmod 600 {key}")


def test_a_folder_that_others_can_write_is_told(here: Machine) -> None:
    here.folder.chmod(0o777)

    is_told(machine.data_folder(here), State.PROBLEM, f"chmod go-w {here.folder}")


@contextmanager
def a_small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system of its own; only root may mount one."""
    place = folder / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@needs_root
def test_a_disk_that_fills_is_told_before_and_after(here: Machine) -> None:
    with a_small_disk(here.folder, megabytes=500) as place:
        is_told(machine.disk(replace(here, folder=place)), State.WARNING, "MB free")
        (place / "ballast").write_bytes(b"x" * 400_000_000)
        is_told(machine.disk(replace(here, folder=place)), State.PROBLEM, "nothing is lost")


def test_a_taken_port_is_told_when_nothing_of_ours_runs(here: Machine) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", here.port))
        stranger.listen()

        is_told(machine.port(here), State.PROBLEM, str(here.port), "--port")


def test_a_web_that_does_not_answer_is_told_when_flowdesk_runs(here: Machine) -> None:
    is_told(machine.port(replace(here, holder=17)), State.PROBLEM, "process 17", "logs/web.log")


def test_a_stranger_on_our_port_is_not_taken_for_the_web(here: Machine) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", here.port))
        stranger.listen()

        def answer() -> None:
            visitor, _ = stranger.accept()
            visitor.recv(1000)
            visitor.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
            visitor.close()

        thread = threading.Thread(target=answer)
        thread.start()
        outcome = machine.port(replace(here, holder=17))
        thread.join()

    is_told(outcome, State.PROBLEM, "Something else answers")


def test_a_short_key_is_told(here: Machine) -> None:
    is_told(
        machine.secret_key(with_settings(here, FLOWDESK_SECRET_KEY="letmein")), State.PROBLEM, "7 characters"
    )


@pytest.mark.parametrize(
    ("settings", "state", "word"),
    [
        ({"FLOWDESK_PUBLIC_URL": "desk.example"}, State.PROBLEM, "https://"),
        (
            {"FLOWDESK_PUBLIC_URL": "https://desk.example", "FLOWDESK_HOSTS": "localhost"},
            State.PROBLEM,
            "FLOWDESK_HOSTS=localhost,desk.example",
        ),
        ({"FLOWDESK_PUBLIC_URL": "http://desk.example"}, State.WARNING, "TLS"),
        ({"FLOWDESK_HOSTS": "*"}, State.WARNING, "every name"),
        (
            {"FLOWDESK_PUBLIC_URL": "https://a.desk.example", "FLOWDESK_HOSTS": ".desk.example"},
            State.OK,
            "a.desk",
        ),
        ({"FLOWDESK_PUBLIC_URL": "http://127.0.0.1:8000"}, State.OK, "127.0.0.1"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(
    here: Machine, settings: dict[str, str], state: State, word: str
) -> None:
    is_told(machine.address(with_settings(here, **settings)), state, word)


def test_a_mail_server_is_asked_whether_it_is_one(here: Machine) -> None:
    def outcome_for(greeting: bytes) -> Outcome:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()

            def greet() -> None:
                visitor, _ = server.accept()
                visitor.sendall(greeting)
                visitor.close()

            thread = threading.Thread(target=greet)
            thread.start()
            url = f"smtp://127.0.0.1:{server.getsockname()[1]}"
            outcome = machine.mail(with_settings(here, FLOWDESK_SMTP_URL=url))
            thread.join()
        return outcome

    is_told(outcome_for(b"220 mail.example ESMTP\r\n"), State.OK, "Mail goes out through 127.0.0.1")
    is_told(outcome_for(b"SSH-2.0-OpenSSH\r\n"), State.PROBLEM, "is no mail server")


@pytest.mark.parametrize(
    ("url", "word"), [("smtp://127.0.0.1:1", "does not answer"), ("mail.example", "begin with smtp")]
)
def test_a_mail_server_that_is_not_there_is_told(here: Machine, url: str, word: str) -> None:
    is_told(machine.mail(with_settings(here, FLOWDESK_SMTP_URL=url)), State.PROBLEM, word)


def test_missing_time_zones_are_told(here: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoneinfo import ZoneInfo, reset_tzpath

    monkeypatch.setitem(sys.modules, "tzdata", None)
    reset_tzpath([])
    ZoneInfo.clear_cache()
    try:
        is_told(machine.time_zones(here), State.PROBLEM, "tzdata")
    finally:
        reset_tzpath()
        ZoneInfo.clear_cache()


def test_the_holder_of_a_folder_is_named_while_it_holds(tmp_path: Path) -> None:
    before = holder(tmp_path)
    with FolderLock(tmp_path):
        during = holder(tmp_path)

    assert (before, during, holder(tmp_path)) == (None, os.getpid(), None)


# -- the database ---------------------------------------------------------------------------------------


@contextmanager
def broken(database_: ThrowawayDatabase, statement: str, mending: str) -> Iterator[None]:
    """A statement that a superuser or a careless administrator might have run, and its undoing."""
    with psycopg.connect(database_.admin, autocommit=True) as admin:
        admin.execute(statement)
        try:
            yield
        finally:
            admin.execute(mending)


def role(alias: str) -> str:
    return database.role(alias)


@on_a_database
def test_a_sound_database_is_in_order(here: Machine) -> None:
    found = dict(examine({**database.CHECKS, **work.CHECKS, **audit.CHECKS, **audit.PROOF}, here))
    wrong = {name: outcome.says for name, outcome in found.items() if outcome.state is not State.OK}

    assert wrong == {"workers": "No worker is there: no clock wakes and no mail leaves"}


@on_a_database
def test_a_strong_app_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    app = role("default")
    with broken(migrated_database, f'alter role "{app}" bypassrls', f'alter role "{app}" nobypassrls'):
        is_told(database.roles(here), State.PROBLEM, "bypassrls", f'alter role "{app}" nobypassrls')


@on_a_database
def test_an_app_that_plays_the_worker_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    app, worker = role("default"), role("worker")
    with broken(migrated_database, f'grant "{worker}" to "{app}"', f'revoke "{worker}" from "{app}"'):
        is_told(database.roles(here), State.PROBLEM, f'revoke "{worker}" from "{app}"')


@on_a_database
def test_a_wall_that_is_not_forced_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    with broken(
        migrated_database,
        "alter table sla_clock no force row level security",
        "alter table sla_clock force row level security",
    ):
        is_told(database.walls(here), State.PROBLEM, "not forced on sla_clock")


@on_a_database
def test_a_policy_that_somebody_added_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    with broken(
        migrated_database,
        "create policy shortcut on sla_clock using (true)",
        "drop policy shortcut on sla_clock",
    ):
        is_told(database.walls(here), State.PROBLEM, "policies on sla_clock")


@on_a_database
def test_a_migration_that_is_missing_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    with psycopg.connect(migrated_database.admin) as admin:
        named = admin.execute(
            "select name from django_migrations where app = 'hubs' order by id limit 1"
        ).fetchone()
    assert named is not None
    row = f"('hubs', '{named[0]}', now())"
    with broken(
        migrated_database,
        f"delete from django_migrations where app = 'hubs' and name = '{named[0]}'",
        f"insert into django_migrations (app, name, applied) values {row}",
    ):
        is_told(database.migrations(here), State.PROBLEM, f"hubs.{named[0]}", "flowdesk migrate")


@on_a_database
def test_a_database_of_a_newer_program_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    with broken(
        migrated_database,
        "insert into django_migrations (app, name, applied) values ('hubs', '9999_later', now())",
        "delete from django_migrations where name = '9999_later'",
    ):
        is_told(database.migrations(here), State.WARNING, "hubs.9999_later")


@on_a_database
@pytest.mark.parametrize(("minutes", "state"), [(2, State.PROBLEM), (-2, State.PROBLEM), (0, State.OK)])
def test_a_machine_whose_clock_is_wrong_is_told(here: Machine, minutes: int, state: State) -> None:
    with clock.at(clock.now() + timedelta(minutes=minutes)):
        outcome = database.clock(here)

    is_told(outcome, state, f"{abs(minutes) * 60 // 10}" if minutes else "0.0 s")


@on_a_database
def test_a_zone_that_the_database_does_not_know_is_told(here: Machine) -> None:
    Tenant.objects.create(slug="mars", name="Mars", zone="Mars/Olympus", created_at=MONDAY_9)

    is_told(database.zones(here), State.PROBLEM, "Mars/Olympus")


@on_a_database
def test_a_session_in_another_zone_is_told(here: Machine, migrated_database: ThrowawayDatabase) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("set timezone to 'Asia/Tokyo'")
    try:
        is_told(database.zones(here), State.PROBLEM, "Asia/Tokyo")
    finally:
        connections["default"].close()


@on_a_database
@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_process_that_was_given_the_owners_password_is_told(here: Machine, command: str) -> None:
    def a_server(**variables: str) -> subprocess.Popen[str]:
        environment = {"FLOWDESK_DATA": str(here.folder), **variables}
        words = ["-c", "import time; print('up', flush=True); time.sleep(60)", "-m", "flowdesk", command]
        process = subprocess.Popen(
            [sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process

    with a_server() as plain, a_server(DATABASE_OWNER_URL="postgresql://boss:secret@db/desk") as guilty:
        try:
            outcome = database.owner_password(here)
        finally:
            plain.kill()
            guilty.kill()

    is_told(outcome, State.PROBLEM, str(guilty.pid), "DATABASE_OWNER_URL")
    assert str(plain.pid) not in outcome.says.replace(str(guilty.pid), "")
    assert "secret" not in outcome.says


# -- the work -------------------------------------------------------------------------------------------


@contextmanager
def a_worker() -> Iterator[None]:
    Pulse().beat(at=clock.now())
    yield


@pytest.fixture
def late_ticket(transactional_db: None) -> None:
    """A ticket of long ago that no worker has looked at since."""
    world = a_world()
    a_customer(world)
    receive.open_ticket(a_message(), by=world.bo, now=MONDAY_9)


@on_a_database
def test_a_sweep_that_lags_is_told_with_its_length(here: Machine, late_ticket: None) -> None:
    is_told(work.sweep(here), State.WARNING, "1 tickets wait", "flowdesk run")
    with a_worker():
        is_told(work.workers(here), State.OK)
        is_told(work.sweep(here), State.PROBLEM, "1 tickets wait", " h", "logs/worker.log")


@on_a_database
def test_events_that_nobody_dispatches_are_told(here: Machine, late_ticket: None) -> None:
    with a_worker():
        is_told(work.events(here), State.PROBLEM, "events are not dispatched")
        while dispatch(at=clock.now()):
            pass
        is_told(work.events(here), State.OK)


@on_a_database
def test_counts_that_are_not_the_tickets_are_told_and_mended(
    here: Machine,
    late_ticket: None,
    migrated_database: ThrowawayDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    is_told(work.counts(here), State.OK)
    with psycopg.connect(migrated_database.admin) as admin:
        admin.execute("update tickets_standing set tickets = tickets + 1")

    is_told(work.counts(here), State.PROBLEM, "tenants: 1", "flowdesk recount")
    monkeypatch.setattr(recount, "django", lambda _args: nullcontext())
    assert main(["recount", "--json"]) == 0
    is_told(work.counts(here), State.OK)
    assert json.loads(capsys.readouterr().out) == {"were_wrong": 1}


@on_a_database
def test_deliveries_that_stay_or_were_given_up_are_told(here: Machine, late_ticket: None) -> None:
    while dispatch(at=MONDAY_9):
        pass
    with a_worker():
        is_told(work.deliveries(here), State.PROBLEM, "overdue")
        with connections["worker"].cursor() as cursor:
            cursor.execute("update notifications_delivery set state = 'failed', created_at = now()")
        is_told(work.deliveries(here), State.WARNING, "given up")


@on_a_database
def test_a_question_that_the_database_refuses_does_not_end_the_rounds(
    here: Machine, migrated_database: ThrowawayDatabase
) -> None:
    worker = role("worker")
    with broken(
        migrated_database,
        f'revoke select on tickets_ticket from "{worker}"',
        f'grant select on tickets_ticket to "{worker}"',
    ):
        found = dict(examine(work.CHECKS, here))

    is_told(found["sweep"], State.PROBLEM, "permission denied")
    assert found["deliveries"].state is State.OK


@on_a_database
def test_a_worker_that_fell_silent_is_told(here: Machine) -> None:
    Pulse().beat(at=clock.now() - timedelta(minutes=7))

    is_told(work.workers(here), State.WARNING, "7 min old", "flowdesk worker")


@on_a_database
def test_an_audit_log_that_was_tampered_with_is_told(
    here: Machine, late_ticket: None, migrated_database: ThrowawayDatabase
) -> None:
    is_told(audit.seals(here), State.WARNING, "wait for their seal")
    seal_audit(now=clock.now())
    is_told(audit.seals(here), State.OK)
    is_told(audit.chain(here), State.OK, "seals of 1 tenants hold")

    with psycopg.connect(migrated_database.admin, autocommit=True) as admin:
        admin.execute("update accounts_auditentry set thing_id = 99")

    is_told(audit.chain(here), State.PROBLEM, "broken at number 1: changed", "Change nothing")


# -- the command ----------------------------------------------------------------------------------------


def doctor(data: Path, *words: str, **environment: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "flowdesk", "doctor", "--json", *words],
        cwd=CHECKOUT,
        env={**os.environ, "FLOWDESK_DATA": str(data), "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or done.stderr)


def test_a_desk_that_does_not_run_is_examined_all_the_same() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        subprocess.run(
            [sys.executable, "-m", "flowdesk", "migrate"],
            cwd=CHECKOUT,
            env={**os.environ, "FLOWDESK_DATA": name},
            check=True,
            capture_output=True,
        )
        code, told = doctor(Path(name), "--port", str(free_port()))
        key = Path(name) / "secret-key"
        key.chmod(0o644)
        worse, _ = doctor(Path(name), "--port", str(free_port()))

    assert (code, told["problems"], told["warnings"]) == (0, 0, 2)  # no mail server, no worker
    assert worse == 1


def test_whoever_asks_in_the_wrong_place_is_told_and_makes_no_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FLOWDESK_APP_DSN", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("FLOWDESK_DATA", str(tmp_path / "nowhere"))

    assert main(["doctor", "--json", "--port", str(free_port())]) == 1
    told = {one["check"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert main(["user", "list"]) == 1

    assert "There is no desk in" in told["desk"]["says"]
    assert "migrations" not in told
    assert "There is no desk in" in capsys.readouterr().err
    assert not list(tmp_path.rglob("PG_VERSION"))


def test_an_external_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    code, told = doctor(tmp_path, DATABASE_URL="postgresql://desk@127.0.0.1:1/desk")
    checks = told["checks"]
    assert isinstance(checks, list)

    assert code == 1
    assert "DATABASE_URL does not connect" in checks[-1]["says"]


def test_a_folder_that_cannot_be_made_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FLOWDESK_DATA", str(tmp_path / "file" / "data"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://desk@127.0.0.1:1/desk")
    code = main(["doctor"])

    assert code == 1
    assert "cannot be made" in capsys.readouterr().out
