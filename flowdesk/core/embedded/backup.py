"""Backup and restore of a whole desk: its database, its signing key, and the first login if one is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from flowdesk.core.embedded.archive import (
    AUDIT_HEADS,
    DUMP,
    FIRST_LOGIN,
    SECRET_KEY,
    ArchiveWriter,
    BadArchive,
    Manifest,
    new_archive,
    read_manifest,
    unpack,
)
from flowdesk.core.embedded.as_user import database_user, reachable_binaries
from flowdesk.core.embedded.binaries import embedded_binaries
from flowdesk.core.embedded.cluster import SUPERUSER, THROWAWAY, Cluster, Say, socket_conninfo
from flowdesk.core.embedded.database import UNFINISHED_RESTORE, cluster_in, prepare
from flowdesk.core.embedded.dump import Contents, compare, dump, restore
from flowdesk.core.embedded.errors import FolderUnusable
from flowdesk.core.embedded.lock import FolderLock
from flowdesk.core.embedded.roles import (
    APP,
    DATABASE,
    OWNER,
    WORKER,
    Dsns,
    ensure_database,
    ensure_roles,
    keep_passwords,
    write_secret,
)

OUR_ROLES: Mapping[str, str] = {"owner": OWNER, "app": APP, "worker": WORKER}
HARMLESS = {"lock", "logs", "lost+found", UNFINISHED_RESTORE}  # what a folder may hold and still be empty


def back_up(
    dsns: Dsns, path: Path, *, folder: Path, secret_key: str, made_at: datetime, say: Say
) -> Manifest:
    """Write the desk behind `dsns` to the new file `path` while it is in use; `folder` is its data folder."""
    binaries = embedded_binaries()
    with new_archive(path) as archive:
        # The heads come first: whatever they stand for is in the dump then.
        _add_if_there(archive, folder / AUDIT_HEADS)
        with archive.part(DUMP) as stream:
            held = dump(dsns.owner, binaries=binaries, to=stream, say=say)
        with archive.part(SECRET_KEY) as stream:
            stream.write(secret_key.encode() + b"\n")
        _add_if_there(archive, folder / FIRST_LOGIN)
        manifest = Manifest(
            made_at=made_at.isoformat(timespec="seconds"),
            flowdesk=_own_version(),
            server=_server_version(dsns.owner),
            roles=_role_names(dsns),
            contents=held,
            sha256=archive.sha256,
        )
        archive.finish(manifest)
    return manifest


def _add_if_there(archive: ArchiveWriter, file: Path) -> None:
    if file.exists():
        with archive.part(file.name) as stream:
            stream.write(file.read_bytes())


def verify(path: Path, *, say: Say) -> Manifest:
    """Restore the archive into a server that is thrown away, and compare; raises what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="flowdesk-verify-") as name:
        folder = Path(name)
        user = database_user()
        folder.chmod(0o711 if user else 0o700)
        manifest = unpack(path, into=folder)
        cluster = Cluster(
            folder=folder,
            binaries=reachable_binaries(embedded_binaries(), user=user),
            user=user,
            password=keep_passwords(folder).superuser,
            settings=THROWAWAY,
            say=say,
        )
        try:
            fill(cluster, folder / DUMP, held=manifest.contents, roles=manifest.roles, say=say)
        finally:
            cluster.stop()
    return manifest


def restore_embedded(path: Path, folder: Path, *, notes: Mapping[str, str], say: Say) -> Manifest:
    """Make the empty `folder` a desk again; until its last step the folder holds a draft and no desk.

    `notes` are small files that a start leaves in a folder it is done with, by name. Raises FolderUnusable when
    something is there already, BadArchive when the file is not whole.
    """
    read_manifest(path)  # a wrong file must not cost anybody a lock or a folder
    with FolderLock(folder):
        _must_be_empty(folder)
        draft = folder / UNFINISHED_RESTORE
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        draft.chmod(folder.stat().st_mode & 0o777)
        manifest = unpack(path, into=draft)
        if manifest.is_single_role and manifest.contents.rows:
            raise BadArchive(
                "The backup was taken with --single-role and has no walls between tenants; restore it into an "
                "external database (DATABASE_URL and --single-role)."
            )
        cluster = cluster_in(draft, say=say)
        try:
            fill(cluster, draft / DUMP, held=manifest.contents, roles=manifest.roles, say=say)
        finally:
            cluster.stop()
        (draft / DUMP).unlink()
        for name, text in notes.items():
            (draft / name).write_text(text)
        shutil.rmtree(draft / "logs")
        # The server's folder goes last: with it the desk is there, without it there is none.
        for part in sorted(draft.iterdir(), key=lambda part: part.name == "postgres"):
            part.rename(folder / part.name)
        draft.rmdir()
    return manifest


def restore_external(path: Path, dsns: Dsns, *, folder: Path, secret_key: str | None, say: Say) -> Manifest:
    """Fill the empty database behind `dsns`, and give `folder` the archive's key.

    `secret_key` is the one the environment names, if any: then `folder` keeps none.
    """
    with tempfile.TemporaryDirectory(prefix="restore-", dir=folder) as name:
        draft = Path(name)
        manifest = unpack(path, into=draft)
        if manifest.roles != (mine := _role_names(dsns)):
            raise BadArchive(
                f"The backup's roles are {_listed(manifest.roles)}, those of DATABASE_URL are {_listed(mine)}. "
                "Its policies name its own: make roles of those names, or restore into a data folder."
            )
        _must_be_empty_database(dsns.owner)
        kept = folder / SECRET_KEY
        key = (draft / SECRET_KEY).read_text()
        if secret_key is None and kept.exists() and kept.read_text() != key:
            raise FolderUnusable(
                f"{kept} is another key than the backup's. Use an empty folder (FLOWDESK_DATA), or move it away."
            )
        if secret_key is not None and secret_key.strip() != key.strip():
            say("FLOWDESK_SECRET_KEY is another key than the backup's: everybody will have to log in again.")
        if secret_key is None:
            write_secret(
                kept, key
            )  # before the rows: a desk without its key is worse than a key without a desk
        restore(
            draft / DUMP,
            dsns.owner,
            binaries=embedded_binaries(),
            say=say,
            tables=len(manifest.contents.rows),
        )
        compare(manifest.contents, dsns.owner)
        with suppress(FileNotFoundError):
            write_secret(folder / FIRST_LOGIN, (draft / FIRST_LOGIN).read_text())
        # Heads of a later time would call the restored log cut short for ever.
        heads = folder / AUDIT_HEADS
        with suppress(FileNotFoundError):
            heads.rename(heads.with_name(f"{AUDIT_HEADS}.before-restore"))
        with suppress(FileNotFoundError):
            write_secret(heads, (draft / AUDIT_HEADS).read_text())
    return manifest


def fill(cluster: Cluster, dump_file: Path, *, held: Contents, roles: Mapping[str, str], say: Say) -> Dsns:
    """Start an empty server, restore into it, prove it; the roles get this folder's names and passwords."""
    cluster.start()
    passwords = keep_passwords(cluster.folder).by_role()
    given = {ours: roles[kind] for kind, ours in OUR_ROLES.items()}
    with psycopg.connect(cluster.superuser_conninfo, autocommit=True) as admin:
        # First as the dump calls them, for its policies and rights do; a database remembers roles by number.
        ensure_roles(admin, passwords={name: passwords[ours] for ours, name in given.items()})
        ensure_database(admin, name=DATABASE, roles=list(given.values()))
        target = socket_conninfo(
            cluster.sockets, user=SUPERUSER, password=cluster.password, database=DATABASE
        )
        restore(dump_file, target, binaries=cluster.binaries, say=say, tables=len(held.rows))
        for ours, name in given.items():
            if name != ours:
                admin.execute(
                    sql.SQL("alter role {} rename to {}").format(*map(sql.Identifier, (name, ours)))
                )
    dsns = prepare(cluster)
    compare(held, dsns.owner)
    return dsns


def _must_be_empty(folder: Path) -> None:
    if (folder / UNFINISHED_RESTORE).exists() and not (folder / "postgres").exists():
        return  # an earlier restore was cut off: what lies here is its draft
    found = sorted({entry.name for entry in folder.iterdir()} - HARMLESS)
    if found:
        raise FolderUnusable(
            f"{folder} is not empty ({', '.join(found[:5])}). A restore never replaces a desk: name an empty "
            "folder with --into."
        )


def _must_be_empty_database(owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        row = connection.execute(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
        ).fetchone()
    if row and row[0]:
        raise FolderUnusable(
            f"The database holds {row[0]} tables and indexes. A restore never replaces a desk: name an empty one "
            "with DATABASE_URL; what a restore that broke off has left is yours to drop."
        )


def _role_names(dsns: Dsns) -> dict[str, str]:
    return {
        kind: str(conninfo_to_dict(dsn)["user"])
        for kind, dsn in (("owner", dsns.owner), ("app", dsns.app), ("worker", dsns.worker))
    }


def _listed(roles: Mapping[str, str]) -> str:
    return ", ".join(f"{kind} '{name}'" for kind, name in roles.items())


def _server_version(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return str(connection.info.parameter_status("server_version"))


def _own_version() -> str:
    try:
        return version("flowdesk")
    except PackageNotFoundError:  # a checkout on the import path was never installed
        return "checkout"
