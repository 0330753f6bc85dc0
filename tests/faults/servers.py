"""PostgreSQL servers that are nobody's child: one alone, or a primary with a synchronous standby."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from flowdesk.core.embedded.as_user import run_as
from flowdesk.core.embedded.cluster import DURABLE, PORT, SUPERUSER, Cluster
from tests.database import throwaway_cluster

NAME = "desk"


@dataclass(kw_only=True)
class Server:
    """A server with a database for Flowdesk; `url` is what an operator would set."""

    cluster: Cluster
    url: str

    @property
    def admin_dsn(self) -> str:
        return make_conninfo(self.cluster.superuser_conninfo, dbname=NAME)

    def keep_running(self) -> None:
        """Start it again if it was killed."""
        if not self.cluster.is_running():
            self.cluster.start()


@contextmanager
def a_server() -> Iterator[Server]:
    """A durable server, started, with an empty database."""
    with throwaway_cluster() as cluster:
        cluster.settings = DURABLE
        cluster.start()
        with psycopg.connect(cluster.superuser_conninfo, autocommit=True) as admin:
            admin.execute(f"create database {NAME}")
        yield Server(cluster=cluster, url=url_of(cluster))


def url_of(*clusters: Cluster) -> str:
    """One address for all hosts; with several of them the one that takes writes is meant."""
    hosts = ",".join(quote(str(cluster.sockets), safe="/") for cluster in clusters)
    ports = ",".join(PORT for _ in clusters)
    which = "&target_session_attrs=read-write" if len(clusters) > 1 else ""
    password = clusters[0].password
    return f"postgresql://{SUPERUSER}:{password}@/{NAME}?host={hosts}&port={ports}{which}"


@contextmanager
def a_standby_of(primary: Cluster) -> Iterator[Cluster]:
    """A started copy of the primary, which from now on waits for it at every commit."""
    folder = Path(tempfile.mkdtemp(prefix="flowdesk-standby-"))
    folder.chmod(0o711 if primary.user else 0o700)
    standby = replace(primary, folder=folder, _process=None, _pid=None, _sockets=None)
    try:
        _copy(primary, standby)
        standby.start()
        with psycopg.connect(primary.superuser_conninfo, autocommit=True) as admin:
            admin.execute("alter system set synchronous_standby_names = '*'")
            admin.execute("select pg_reload_conf()")
        yield standby
    finally:
        standby.stop()
        shutil.rmtree(folder)


def _copy(primary: Cluster, standby: Cluster) -> None:
    standby.data.mkdir(mode=0o700)
    if primary.user is not None:
        os.chown(standby.data, primary.user.uid, primary.user.gid)
    command = [
        primary.binaries.program("pg_basebackup"),
        "--pgdata",
        str(standby.data),
        "--write-recovery-conf",
    ]
    command += ["--checkpoint", "fast", "--dbname", primary.superuser_conninfo]
    environment: Mapping[str, str] = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    code, output = run_as(primary.user, command, env=dict(environment))
    assert code == 0, output
