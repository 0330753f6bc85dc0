"""The house as it stands on disk and in Django: what the laws are checked against."""

import ast
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db.models import Model

from flowdesk.accounts.tenancy import TenantModel

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "flowdesk"


@cache
def floors() -> tuple[frozenset[str], ...]:
    """The floors of the import contract from top to bottom; those on one floor do not know each other."""
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter")
    lines = contract["importlinter:contract:floors"]["layers"].split("\n")
    return tuple(frozenset(name.strip(" ()") for name in line.split("|")) for line in lines if line.strip())


def depth(package: str) -> int:
    """How far down a package of `flowdesk` stands; the top is 0."""
    return next(number for number, floor in enumerate(floors()) if package in floor)


def package_of(model: type[Model]) -> str:
    """The package of `flowdesk` that a model belongs to."""
    return model.__module__.split(".")[1]


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("flowdesk.")]


def tenant_models() -> list[type[TenantModel]]:
    return [model for model in our_models() if issubclass(model, TenantModel)]


def sources(folder: Path = PACKAGE) -> Iterator[tuple[str, ast.Module]]:
    """Every module below a folder, by its path from the root, parsed."""
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with the dotted name of the module it asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, "." * node.level + (node.module or "")


def our_texts() -> Iterator[tuple[str, str]]:
    """Every text file that belongs to the project, by its path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture, or a file just deleted
