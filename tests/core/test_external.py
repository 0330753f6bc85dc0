"""A database that others run: what is refused, what is prepared, and that the words say the way out."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from flowdesk.core.embedded import external
from flowdesk.core.embedded.cluster import Cluster
from flowdesk.core.embedded.errors import DatabaseUnavailable, RoleRefused, ServerTooOld
from flowdesk.core.embedded.external import (
    Urls,
    make_three_roles,
    urls_from,
    use_single_role,
    use_three_roles,
)
from flowdesk.core.embedded.roles import Dsns
from flowdesk.core.supervisor.connection import Roles, child_environment, data_folder, external_dsns
from tests.core.desk import PATIENCE
from tests.database import throwaway_cluster


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with throwaway_cluster() as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def database(server: Cluster) -> Iterator[str]:
    """A superuser's address of a new database; no role of Flowdesk's is left behind."""
    name = f"external_{secrets.token_hex(3)}"
    with psycopg.connect(server.superuser_conninfo, autocommit=True) as admin:
        admin.execute(f"create database {name}")
        yield make_conninfo(server.superuser_conninfo, dbname=name)
        admin.execute(f"drop database {name} with (force)")
        for (role,) in admin.execute(
            "select rolname from pg_roles where rolname !~ '^(pg_|postgres)'"
        ).fetchall():
            admin.execute(f"drop role {role}")


def a_role(database: str, name: str, rights: str = "") -> str:
    """The address of a new role that logs in with `rights`."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"create role {name} login password 'p' {rights}")
    return make_conninfo(database, user=name, password="p")


def run_as_admin(database: str, statement: str) -> None:
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(statement)


def three_addresses(database: str) -> Urls:
    urls = Urls(app=a_role(database, "web"), owner=a_role(database, "boss"), worker=a_role(database, "jobs"))
    run_as_admin(database, "grant create, usage on schema public to boss")
    return urls


def test_without_an_address_the_embedded_database_is_meant() -> None:
    assert urls_from({}) is None
    assert urls_from({"DATABASE_URL": " "}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {"DATABASE_OWNER_URL": "x"},
        {"DATABASE_URL": "x", "DATABASE_OWNER_URL": "x"},
        {"DATABASE_URL": "x", "DATABASE_WORKER_URL": "x"},
    ],
)
def test_a_part_of_the_addresses_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL"):
        urls_from(environment)


def test_three_plain_roles_of_any_name_are_taken_and_given_their_rights(database: str) -> None:
    dsns = use_three_roles(three_addresses(database))
    with psycopg.connect(dsns.owner, autocommit=True) as owner:
        owner.execute("create table ticket (id int)")

    with psycopg.connect(dsns.app) as app, psycopg.connect(dsns.worker) as worker:
        assert app.execute("select count(*) from ticket").fetchone() == (0,)
        assert worker.execute("select count(*) from ticket").fetchone() == (0,)
    assert conninfo_to_dict(dsns.app)["user"] == "web"


@pytest.mark.parametrize(
    ("rights", "reason"), [("superuser", "is a superuser"), ("bypassrls", "bypasses row security")]
)
@pytest.mark.parametrize("which", ["app", "worker"])
def test_a_web_or_worker_role_that_no_policy_holds_is_refused(
    database: str, rights: str, reason: str, which: str
) -> None:
    urls = three_addresses(database)
    strong = a_role(database, "strong", rights)
    chosen = Urls(
        app=strong if which == "app" else urls.app,
        owner=urls.owner,
        worker=strong if which == "worker" else urls.worker,
    )

    with pytest.raises(RoleRefused, match=reason):
        use_three_roles(chosen)


@pytest.mark.parametrize("group", ["jobs", "boss"])
def test_an_app_that_is_a_member_of_worker_or_owner_is_refused(database: str, group: str) -> None:
    urls = three_addresses(database)
    run_as_admin(database, f"grant {group} to web")

    with pytest.raises(RoleRefused, match=f"'web' is '{group}'"):
        use_three_roles(urls)


def test_one_role_under_three_names_is_refused(database: str) -> None:
    urls = three_addresses(database)

    with pytest.raises(RoleRefused, match="--single-role"):
        use_three_roles(Urls(app=urls.app, owner=urls.owner, worker=urls.app))


def test_an_owner_that_may_not_create_tables_is_refused(database: str) -> None:
    urls = three_addresses(database)
    run_as_admin(database, "revoke create on schema public from boss")

    with pytest.raises(RoleRefused, match="may not create tables"):
        use_three_roles(urls)


def test_addresses_of_two_databases_are_refused(database: str) -> None:
    urls = three_addresses(database)
    assert urls.worker is not None
    elsewhere = make_conninfo(urls.worker, dbname="postgres")

    with pytest.raises(DatabaseUnavailable, match="another database"):
        use_three_roles(Urls(app=urls.app, owner=urls.owner, worker=elsewhere))


def test_one_address_that_may_create_roles_makes_the_three(database: str, tmp_path: Path) -> None:
    creator = a_role(database, "creator", "createrole")
    run_as_admin(database, f"alter database {conninfo_to_dict(database)['dbname']} owner to creator")

    first = make_three_roles(Urls(app=creator), folder=tmp_path)
    again = make_three_roles(Urls(app=creator), folder=tmp_path)

    assert again == first
    for dsn, role in ((first.owner, "flowdesk_owner"), (first.app, "flowdesk_app")):
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select current_user").fetchone() == (role,)


def test_many_that_start_at_once_on_one_address_all_come_in(database: str, tmp_path: Path) -> None:
    starting = Barrier(8)

    def start(_: int) -> list[Dsns]:
        starting.wait(PATIENCE)
        return [make_three_roles(Urls(app=database), folder=tmp_path) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        came_in = list(pool.map(start, range(8)))

    assert len({dsns for each in came_in for dsns in each}) == 1


def test_many_that_start_at_once_on_three_given_roles_all_come_in(database: str) -> None:
    urls = three_addresses(database)
    starting = Barrier(8)

    def start(_: int) -> list[Dsns]:
        starting.wait(PATIENCE)
        return [use_three_roles(urls) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        came_in = list(pool.map(start, range(8)))

    assert len({dsns for each in came_in for dsns in each}) == 1


def test_one_superusers_address_makes_the_three_and_is_not_used_for_pages(
    database: str, tmp_path: Path
) -> None:
    dsns = make_three_roles(Urls(app=database), folder=tmp_path)

    assert conninfo_to_dict(dsns.app)["user"] == "flowdesk_app"


def test_roles_whose_passwords_are_kept_elsewhere_are_not_taken_over(database: str, tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    dsns = make_three_roles(Urls(app=database), folder=here)

    with pytest.raises(RoleRefused, match="exist already"):
        make_three_roles(Urls(app=database), folder=elsewhere)
    psycopg.connect(dsns.app).close()


def test_one_plain_address_is_told_what_an_administrator_must_run(database: str, tmp_path: Path) -> None:
    with pytest.raises(RoleRefused, match=r"create role flowdesk_owner(.|\n)*--single-role"):
        make_three_roles(Urls(app=a_role(database, "plain")), folder=tmp_path)


def test_a_single_role_is_taken_when_asked_for_but_never_a_superuser(database: str) -> None:
    plain = a_role(database, "plain")
    run_as_admin(database, "grant create, usage on schema public to plain")

    dsns = use_single_role(Urls(app=plain))

    assert dsns.environment()["FLOWDESK_SINGLE_ROLE"] == "1"
    assert dsns.app == dsns.owner == dsns.worker
    with pytest.raises(RoleRefused, match="superuser"):
        use_single_role(Urls(app=database))


def test_an_old_server_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "OLDEST_MAJOR", 99)

    with pytest.raises(ServerTooOld, match="needs PostgreSQL 99"):
        external.connect(database, name="DATABASE_URL").close()


@pytest.mark.parametrize("address", ["postgresql://nobody@/x?host=/nowhere", "not an address"])
def test_an_address_that_does_not_connect_is_told_by_its_variable(address: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="DATABASE_URL"):
        external.connect(address, name="DATABASE_URL")


def test_single_role_without_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="set DATABASE_URL"):
        external_dsns({}, folder=tmp_path, roles=Roles.SINGLE)


def test_a_child_inherits_no_database_address(tmp_path: Path) -> None:
    environment = child_environment(
        {"DATABASE_URL": "secret", "DATABASE_OWNER_URL": "secret", "FLOWDESK_OWNER_DSN": "old", "LANG": "C"},
        folder=tmp_path,
    )

    assert "secret" not in environment.values()
    assert "FLOWDESK_OWNER_DSN" not in environment
    assert environment["LANG"] == "C"
    assert environment["FLOWDESK_DATA"] == str(tmp_path)


def test_beside_an_external_database_the_data_folder_is_where_it_is_wanted(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    chosen = data_folder({"FLOWDESK_DATA": str(tmp_path / "data"), "DATABASE_URL": "postgresql://db/desk"})

    assert chosen == tmp_path / "data"
    assert chosen.stat().st_mode & 0o077 == 0


def test_children_do_not_inherit_an_address_that_make_repeats(tmp_path: Path) -> None:
    given = {"MAKEFLAGS": "-- DATABASE_URL=postgresql://maker:secret@db/desk", "PATH": "/usr/bin"}

    inherited = child_environment(given, folder=tmp_path)

    assert "secret" not in str(inherited)
    assert inherited["PATH"] == "/usr/bin"
