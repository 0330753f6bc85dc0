"""A backup is whole, private and proven; a restore fills only what is empty, and an upgrade loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flowdesk.core.embedded import backup as backups
from flowdesk.core.embedded import upgrade as upgrades
from flowdesk.core.embedded.archive import DUMP, MANIFEST, BadArchive, FileExists, read_manifest
from flowdesk.core.embedded.as_user import database_user, reachable_binaries
from flowdesk.core.embedded.backup import back_up, restore_embedded, restore_external, verify
from flowdesk.core.embedded.binaries import binaries_of, embedded_binaries
from flowdesk.core.embedded.cluster import Cluster
from flowdesk.core.embedded.database import (
    UNFINISHED_RESTORE,
    UNFINISHED_UPGRADE,
    VERIFIED,
    cluster_in,
    database_in,
    finish_upgrade,
    prepare,
    start_and_prepare,
)
from flowdesk.core.embedded.dump import Contents, CopyDiffers, DumpFailed, compare
from flowdesk.core.embedded.errors import BinariesMissing, FolderInUse, FolderUnusable, OtherMajor
from flowdesk.core.embedded.external import Urls, use_three_roles
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.roles import Dsns, Passwords, keep_passwords

CHECKOUT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "a-signing-key"
OLD = Path("/usr/lib/postgresql/15/bin")
needs_old = pytest.mark.skipif(not OLD.exists(), reason="needs PostgreSQL 15 in Debian's folder")

TABLES = """
create table tenant (id bigint generated always as identity primary key, name text);
create table ticket (id bigint generated always as identity primary key, tenant_id bigint references tenant, text text);
alter table ticket enable row level security;
alter table ticket force row level security;
create policy tenant on ticket to {app}
    using (tenant_id = (select nullif(current_setting('app.tenant', true), '')::bigint));
create policy worker on ticket to {worker} using (true);
create policy owner on ticket to current_user using (true);
create table event (id bigint generated always as identity primary key, text text);
revoke update, delete on event from {app}, {worker};
insert into tenant (name) values ('alder'), ('birch');
insert into ticket (tenant_id, text) select 1 + n % 2, 'Skrivaren är trasig ' || n from generate_series(1, 500) n;
insert into event (text) values ('opened')
"""


def a_folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="flowdesk-test-")
    Path(folder.name).chmod(0o711 if database_user() else 0o700)
    return folder


def fill(dsns: Dsns) -> None:
    app, worker = (conninfo_to_dict(dsn)["user"] for dsn in (dsns.app, dsns.worker))
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute(TABLES.format(app=app, worker=worker))


def save(dsns: Dsns, path: Path, *, folder: Path) -> None:
    back_up(dsns, path, folder=folder, secret_key=KEY, made_at=NOON, say=print)


def count(dsn: str, *, tenant: int | None = None) -> int:
    with psycopg.connect(dsn) as connection:
        if tenant is not None:
            connection.execute("select set_config('app.tenant', %s, true)", [str(tenant)])
        row = connection.execute("select count(*) from ticket").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[Path, Dsns]]:
    """A running server with two tenants' rows behind walls."""
    with a_folder() as name:
        cluster = cluster_in(Path(name), say=print)
        try:
            dsns = start_and_prepare(cluster)
            fill(dsns)
            yield Path(name), dsns
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def archive(desk: tuple[Path, Dsns], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, dsns = desk
    path = tmp_path_factory.mktemp("backups") / "desk.flowdesk"
    save(dsns, path, folder=folder)
    return path


@pytest.fixture
def empty() -> Iterator[Path]:
    with a_folder() as name:
        yield Path(name)


# -- the file -------------------------------------------------------------------------------------------


def test_a_backup_is_private_and_says_what_it_holds(archive: Path) -> None:
    manifest = read_manifest(archive)

    assert archive.stat().st_mode & 0o777 == 0o600
    assert manifest.contents.rows == {"event": 1, "tenant": 2, "ticket": 500}
    assert manifest.contents.walls == {"ticket": ["owner", "tenant", "worker"]}
    assert manifest.made_at == "2026-03-02T12:00:00+00:00"
    assert [entry.name for entry in archive.parent.iterdir()] == [archive.name]


def test_a_backup_never_replaces_a_file(desk: tuple[Path, Dsns], tmp_path: Path) -> None:
    folder, dsns = desk
    path = tmp_path / "thesis"
    path.write_text("years of work")

    with pytest.raises(FileExists, match="never replaces"):
        save(dsns, path, folder=folder)
    assert path.read_text() == "years of work"


def test_a_failed_backup_leaves_nothing_behind(desk: tuple[Path, Dsns], tmp_path: Path) -> None:
    folder, dsns = desk
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute("create table walled (id int)")
        owner.execute("alter table walled enable row level security, force row level security")
        try:
            with pytest.raises(DumpFailed, match="every row of walled"):
                save(dsns, tmp_path / "file", folder=folder)
        finally:
            owner.execute("drop table walled")

    assert list(tmp_path.iterdir()) == []


def test_a_backup_shows_one_instant_while_writes_go_on(desk: tuple[Path, Dsns], tmp_path: Path) -> None:
    folder, dsns = desk
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        # Two rows in one transaction: a backup that sees one of them without the other is torn.
        with psycopg.connect(dsns.owner) as owner:
            while not stop.is_set():
                owner.execute("insert into ticket (tenant_id, text) values (1, 'left'), (2, 'right')")
                owner.commit()
                written.append(2)
            owner.execute("delete from ticket where text in ('left', 'right')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        save(dsns, tmp_path / "file", folder=folder)
        written_at_end = sum(written)
    finally:
        stop.set()
        writer.join()
    manifest = verify(tmp_path / "file", say=print)

    assert written_at_end > 2
    assert manifest.contents.rows["ticket"] % 2 == 0
    assert 500 <= manifest.contents.rows["ticket"] <= 500 + written_at_end


def test_a_newer_server_than_our_programs_is_told(
    desk: tuple[Path, Dsns], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, dsns = desk
    older = type(embedded_binaries())(folder=embedded_binaries().folder, major=14)
    monkeypatch.setattr(backups, "embedded_binaries", lambda: older)

    with pytest.raises(DumpFailed, match="PostgreSQL 18, the pg_dump that comes along is 14"):
        save(dsns, tmp_path / "file", folder=folder)


def damaged(archive: Path, path: Path, *, part: str) -> Path:
    """A copy of the archive in which one byte of a part is another, with a zip checksum that agrees."""
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(path, "w") as copy:
        for name in whole.namelist():
            body = bytearray(whole.read(name))
            if name == part:
                body[len(body) // 2] ^= 1
            copy.writestr(name, bytes(body))
    return path


def test_a_changed_byte_is_noticed_before_anything_is_touched(
    archive: Path, tmp_path: Path, empty: Path
) -> None:
    bad = damaged(archive, tmp_path / "bad", part=DUMP)

    with pytest.raises(BadArchive, match=r"damaged: database\.dump"):
        restore_embedded(bad, empty, notes={}, say=print)
    assert not (empty / "postgres").exists()


def test_a_file_cut_short_is_no_backup(archive: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    torn.write_bytes(archive.read_bytes()[:-2000])

    with pytest.raises(BadArchive, match="not a whole backup"):
        read_manifest(torn)


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"format": 2}', '{"format": 1}', "no json"])
def test_a_strange_manifest_is_refused(manifest: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr(MANIFEST, manifest)

    with pytest.raises(BadArchive):
        read_manifest(tmp_path / "file")


def test_a_part_with_a_path_is_not_written_anywhere(archive: Path, tmp_path: Path, empty: Path) -> None:
    told = json.loads(zipfile.ZipFile(archive).read(MANIFEST))
    told["sha256"]["../escaped"] = "0" * 64
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(tmp_path / "bad", "w") as copy:
        for name in whole.namelist():
            copy.writestr(name, json.dumps(told) if name == MANIFEST else whole.read(name))
        copy.writestr("../escaped", "out")

    with pytest.raises(BadArchive, match="unknown part"):
        restore_embedded(tmp_path / "bad", empty, notes={}, say=print)
    assert not (empty / "escaped").exists()


def test_a_dump_that_lacks_rows_is_not_taken_for_whole(desk: tuple[Path, Dsns]) -> None:
    _, dsns = desk
    held = Contents(rows={"event": 1, "tenant": 2, "ticket": 501}, walls={"ticket": ["owner", "tenant"]})

    with pytest.raises(CopyDiffers, match="ticket has 500 rows, not 501; ticket has other walls"):
        compare(held, dsns.owner)


# -- the way back ---------------------------------------------------------------------------------------


def test_a_restored_desk_has_its_rows_its_walls_and_its_key(archive: Path, empty: Path) -> None:
    restore_embedded(archive, empty, notes={"founded": ""}, say=print)

    with database_in(empty, say=print) as dsns:
        assert (count(dsns.app), count(dsns.app, tenant=1), count(dsns.worker)) == (0, 250, 500)
        with psycopg.connect(dsns.app) as app:
            app.execute("select set_config('app.tenant', '1', true)")
            row = app.execute(
                "insert into ticket (tenant_id, text) values (1, 'new') returning id"
            ).fetchone()
            assert row is not None
            assert row[0] > 500  # the sequences go on where they were
        with (
            psycopg.connect(dsns.app) as app,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            app.execute("update event set text = 'undone'")
        with psycopg.connect(dsns.owner) as owner:
            owner.execute("create table later (id int)")  # rights on what migrations will make came along
            owner.commit()
        with psycopg.connect(dsns.app) as app:
            app.execute("select * from later")
    assert (empty / "secret-key").read_text() == KEY + "\n"
    assert (empty / "secret-key").stat().st_mode & 0o077 == 0
    assert (empty / "founded").exists()
    assert not (empty / UNFINISHED_RESTORE).exists()


def test_a_restore_never_replaces_a_desk(archive: Path, desk: tuple[Path, Dsns], empty: Path) -> None:
    folder, dsns = desk
    (empty / "secret-key").write_text("another desk's")

    with FolderLock(folder), pytest.raises(FolderInUse):
        restore_embedded(archive, folder, notes={}, say=print)
    with pytest.raises(FolderUnusable, match="not empty"):
        restore_embedded(archive, folder, notes={}, say=print)
    with pytest.raises(FolderUnusable, match=r"not empty \(secret-key\)"):
        restore_embedded(archive, empty, notes={}, say=print)
    assert count(dsns.worker) == 500


@pytest.mark.parametrize("after", ["the dump", "the last step"])
def test_a_killed_restore_is_no_desk_and_can_be_repeated(archive: Path, empty: Path, after: str) -> None:
    draft = empty / UNFINISHED_RESTORE
    draft.mkdir()
    (draft / "database.dump").write_text("half")
    if after == "the last step":
        (empty / "secret-key").write_text(KEY + "\n")  # the last step was at work
        (empty / "database-passwords.json").write_text("{}")

    with pytest.raises(FolderUnusable, match="Repeat `flowdesk restore`"):
        cluster_in(empty, say=print)
    restore_embedded(archive, empty, notes={}, say=print)
    with database_in(empty, say=print) as dsns:
        assert count(dsns.worker) == 500


def external(desk: tuple[Path, Dsns], *, names: tuple[str, str, str]) -> tuple[str, Urls]:
    """An empty database with three roles on the desk's own server, as one that others run would be."""
    folder, dsns = desk
    admin = make_conninfo(dsns.owner, user="postgres", password=keep_passwords(folder).superuser)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("drop database if exists elsewhere with (force)")
        connection.execute("create database elsewhere")
        for name in names:
            if not connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone():
                connection.execute(f"create role {name} login password 'p'")
    with psycopg.connect(make_conninfo(admin, dbname="elsewhere"), autocommit=True) as connection:
        connection.execute(f"grant create, usage on schema public to {names[0]}")
    urls = []
    for name, own in zip(names, (dsns.owner, dsns.app, dsns.worker), strict=True):
        given = conninfo_to_dict(own)
        password = given["password"] if given["user"] == name else "p"
        urls.append(make_conninfo(own, user=name, dbname="elsewhere", password=password))
    return admin, Urls(owner=urls[0], app=urls[1], worker=urls[2])


OURS = ("flowdesk_owner", "flowdesk_app", "flowdesk_worker")


def test_an_empty_external_database_is_filled_once(
    archive: Path, desk: tuple[Path, Dsns], tmp_path: Path
) -> None:
    _, urls = external(desk, names=OURS)
    dsns = use_three_roles(urls)
    restore_external(archive, dsns, folder=tmp_path, secret_key=None, say=print)

    assert (count(dsns.app), count(dsns.app, tenant=2), count(dsns.worker)) == (0, 250, 500)
    assert (tmp_path / "secret-key").read_text() == KEY + "\n"
    with pytest.raises(FolderUnusable, match="never replaces"):
        restore_external(archive, dsns, folder=tmp_path, secret_key=None, say=print)


def test_the_heads_of_the_audit_log_travel_along(
    desk: tuple[Path, Dsns], empty: Path, tmp_path: Path
) -> None:
    folder, dsns = desk
    (folder / "audit-heads.json").write_text("[1]")
    archive = tmp_path / "with-heads.flowdesk"
    save(dsns, archive, folder=folder)
    (folder / "audit-heads.json").unlink()
    restore_embedded(archive, empty, notes={}, say=print)

    assert (empty / "audit-heads.json").read_text() == "[1]"


def test_heads_of_a_later_time_make_way_for_the_restored_ones(
    desk: tuple[Path, Dsns], archive: Path, tmp_path: Path
) -> None:
    _, urls = external(desk, names=OURS)
    (tmp_path / "audit-heads.json").write_text("[2]")
    restore_external(archive, use_three_roles(urls), folder=tmp_path, secret_key=None, say=print)

    assert not (tmp_path / "audit-heads.json").exists()
    assert (tmp_path / "audit-heads.json.before-restore").read_text() == "[2]"


def test_another_deployments_key_is_not_replaced(
    archive: Path, desk: tuple[Path, Dsns], tmp_path: Path
) -> None:
    _, urls = external(desk, names=OURS)
    (tmp_path / "secret-key").write_text("another\n")

    with pytest.raises(FolderUnusable, match="another key"):
        restore_external(archive, use_three_roles(urls), folder=tmp_path, secret_key=None, say=print)
    assert (tmp_path / "secret-key").read_text() == "another\n"


def test_roles_of_other_names_are_told_outside_and_renamed_inside(
    archive: Path, desk: tuple[Path, Dsns], tmp_path: Path, empty: Path
) -> None:
    _, urls = external(desk, names=("boss", "web", "jobs"))
    dsns = use_three_roles(urls)
    with pytest.raises(BadArchive, match="app 'web'"):
        restore_external(archive, dsns, folder=tmp_path, secret_key=None, say=print)
    fill(dsns)
    save(dsns, tmp_path / "theirs", folder=tmp_path)

    restore_embedded(tmp_path / "theirs", empty, notes={}, say=print)
    with database_in(empty, say=print) as restored:
        assert (count(restored.app), count(restored.app, tenant=1), count(restored.worker)) == (0, 250, 500)


# -- another major version ------------------------------------------------------------------------------


@pytest.fixture
def old_folder(empty: Path) -> tuple[Path, Passwords]:
    """A data folder that PostgreSQL 15 made and stopped."""
    user = database_user()
    passwords = keep_passwords(empty)
    cluster = Cluster(
        folder=empty,
        binaries=reachable_binaries(binaries_of(15), user=user),
        user=user,
        password=passwords.superuser,
    )
    try:
        cluster.start()
        fill(prepare(cluster))
    finally:
        cluster.stop()
    return empty, passwords


@needs_old
def test_an_old_folder_is_refused_with_the_way_out(old_folder: tuple[Path, Passwords]) -> None:
    with (
        pytest.raises(OtherMajor, match=r"made by PostgreSQL 15.*flowdesk upgrade"),
        FolderLock(old_folder[0]),
    ):
        cluster_in(old_folder[0], say=print).start()


@needs_old
def test_an_upgrade_keeps_rows_walls_passwords_and_the_old_folder(old_folder: tuple[Path, Passwords]) -> None:
    folder, passwords = old_folder
    done = upgrades.upgrade(folder, from_binaries=OLD, say=print)
    again = upgrades.upgrade(folder, from_binaries=None, say=print)

    assert (done.before, done.after, done.rows["ticket"]) == (15, 18, 500)
    assert done.kept == folder / "postgres.old-15"
    assert (folder / "postgres.old-15" / "PG_VERSION").read_text() == "15\n"
    assert again.kept is None
    assert keep_passwords(folder) == passwords
    with database_in(folder, say=print) as dsns:
        assert conninfo_to_dict(dsns.app)["password"] == passwords.app
        assert (count(dsns.app), count(dsns.app, tenant=1), count(dsns.worker)) == (0, 250, 500)


@needs_old
def test_an_upgrade_that_is_killed_at_any_point_leaves_a_folder_that_goes_on(
    old_folder: tuple[Path, Passwords],
) -> None:
    """One real upgrade in a process that is ended as by kill -9 at each of its steps, one after the other."""
    folder, _ = old_folder
    code = (
        "import os, sys; from pathlib import Path;"
        "from flowdesk.core.embedded import backup, database, dump, upgrade;"
        "step = sys.argv[2];"
        "module, name = {'dump': (upgrade, 'dump'), 'restore': (backup, 'restore'), 'compare': (backup, 'compare'),"
        " 'swap': (upgrade, 'finish_upgrade')}[step];"
        "asked = [];"
        "setattr(module, name, lambda *a, **k: asked.append(1) or (os._exit(9)"
        " if step != 'swap' or len(asked) > 1 else None));"
        "upgrade.upgrade(Path(sys.argv[1]), from_binaries=None, say=print)"
    )
    for step in ("dump", "restore", "compare", "swap"):
        ended = subprocess.run([sys.executable, "-c", code, str(folder), step], cwd=CHECKOUT, check=False)
        assert ended.returncode == 9, step
        assert (folder / "postgres" / "PG_VERSION").read_text() == "15\n", step
    # The last one had counted every row: a plain start takes its work.
    assert (folder / UNFINISHED_UPGRADE / VERIFIED).exists()
    with database_in(folder, say=print) as dsns:
        assert count(dsns.worker) == 500
    assert (folder / "postgres" / "PG_VERSION").read_text() == "18\n"
    assert not (folder / UNFINISHED_UPGRADE).exists()


def test_a_swap_that_stopped_between_its_two_steps_is_finished(empty: Path) -> None:
    draft = empty / UNFINISHED_UPGRADE
    (draft / "postgres").mkdir(parents=True)
    (draft / "postgres" / "PG_VERSION").write_text("18\n")
    (draft / VERIFIED).touch()
    (empty / "postgres.old-15").mkdir()
    finish_upgrade(empty)
    finish_upgrade(empty)

    assert (empty / "postgres" / "PG_VERSION").read_text() == "18\n"
    assert sorted(entry.name for entry in empty.iterdir()) == ["postgres", "postgres.old-15"]


def test_an_unproven_draft_is_never_swapped_in(empty: Path) -> None:
    (empty / UNFINISHED_UPGRADE / "postgres").mkdir(parents=True)
    (empty / "postgres").mkdir()
    finish_upgrade(empty)

    assert (empty / UNFINISHED_UPGRADE).exists()
    assert not (empty / "postgres.old-15").exists()


def test_missing_programs_are_told_with_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BinariesMissing, match=r"PostgreSQL 12 are not here .*--from-binaries"):
        binaries_of(12)
    with pytest.raises(BinariesMissing, match="holds PostgreSQL 18; the programs of PostgreSQL 15"):
        binaries_of(15, named=embedded_binaries().folder)
    with pytest.raises(BinariesMissing, match="holds no PostgreSQL programs"):
        binaries_of(15, named=tmp_path)


def test_nothing_to_upgrade_is_told(empty: Path) -> None:
    with pytest.raises(FolderUnusable, match="no database"):
        upgrades.upgrade(empty, from_binaries=None, say=print)
