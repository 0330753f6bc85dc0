"""Imports and keys point downwards; the engine stands alone; one module reads the clock."""

import ast
import re
import sys
from collections.abc import Iterator

import pytest
from django.db.models import ForeignKey, ManyToManyField, Model

from tests.architecture.house import (
    PACKAGE,
    ROOT,
    depth,
    floors,
    imported,
    our_models,
    our_texts,
    package_of,
    sources,
)

# Code that runs processes or tells how long something took measures lengths; it never says what time it is.
MEASURES_LENGTHS = (
    "flowdesk/worker/",
    "flowdesk/config/",
    "flowdesk/core/supervisor/",
    "flowdesk/core/embedded/",
)
READS_THE_CLOCK = frozenset({"flowdesk/core/time.py"})
# Commands import Django once it is set up, and what needs a built frame only when it is there. Learned models load
# numpy and more: whoever asks none shall not pay for it.
IMPORTS_LATE = (
    "flowdesk/__main__.py",
    "flowdesk/config/commands/",
    "flowdesk/flows/learn.py",
    "flowdesk/triage/learned.py",
    "flowdesk/web/learning/fill.py",
)

WALL_CLOCK = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "timezone": {"now", "localtime", "localdate"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"},
}
LENGTHS = {"monotonic", "monotonic_ns", "perf_counter", "process_time"}


def test_every_package_has_its_floor() -> None:
    packages = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    }

    assert packages - {"__init__"} <= set().union(*floors())


def test_no_folder_of_code_hides_from_the_contract() -> None:
    without_init = {
        path.parent.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }

    assert without_init == set()


def test_the_contract_is_exhaustive_and_forgives_nothing() -> None:
    text = (ROOT / ".importlinter").read_text()

    assert "exhaustive = True" in text
    assert "ignore_imports" not in text
    assert "exhaustive_ignores" not in text
    assert "exclude_type_checking_imports" not in text


def keys(model: type[Model]) -> Iterator[tuple[str, type[Model]]]:
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey | ManyToManyField) and field.model is model:
            assert not isinstance(field.related_model, str), "the apps are loaded"
            yield field.name, field.related_model


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_foreign_keys_point_downwards(model: type[Model]) -> None:
    here = package_of(model)
    upward = [
        (name, target._meta.label)
        for name, target in keys(model)
        if target.__module__.startswith("flowdesk.")
        and package_of(target) != here
        and depth(package_of(target)) <= depth(here)
    ]

    assert upward == []


def test_no_app_joins_tables_through_contenttypes() -> None:
    generic = [model._meta.label for model in our_models() if model._meta.private_fields]

    assert generic == []


def test_the_engine_imports_the_standard_library_and_itself() -> None:
    allowed = sys.stdlib_module_names
    foreign = [
        (path, name)
        for path, tree in sources(PACKAGE / "engine")
        for _, name in imported(tree)
        if name.split(".")[0] not in allowed and not name.startswith("flowdesk.engine")
    ]

    assert foreign == []


def test_the_engine_touches_neither_files_nor_network_nor_chance() -> None:
    worldly = {
        "os",
        "pathlib",
        "socket",
        "random",
        "secrets",
        "subprocess",
        "threading",
        "time",
        "uuid",
        "logging",
    }
    found = [
        (path, name)
        for path, tree in sources(PACKAGE / "engine")
        for _, name in imported(tree)
        if name.split(".")[0] in worldly
    ]

    assert found == []


def test_the_engine_is_flat() -> None:
    assert [
        path for path in (PACKAGE / "engine").iterdir() if path.is_dir() and path.name != "__pycache__"
    ] == []


def reads(tree: ast.Module) -> Iterator[str]:
    """Every call that reads the machine's clock, as it is written."""
    from_time = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "django.utils.timezone")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in from_time:
            yield node.func.id
        if isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if node.attr in WALL_CLOCK.get(owner, ()) or (owner == "time" and node.attr in LENGTHS):
                yield f"{owner}.{node.attr}"


def test_only_one_module_reads_the_wall_clock() -> None:
    found = {
        (path, read)
        for path, tree in sources()
        for read in reads(tree)
        if path not in READS_THE_CLOCK
        and not (path.startswith(MEASURES_LENGTHS) and read.rpartition(".")[2] in LENGTHS)
    }

    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\nwhen = datetime.now",
        "from django.utils import timezone\ntimezone.now()",
        "from django.utils.timezone import now\nnow()",
        "import time\ntime.time()",
        "from time import monotonic\nmonotonic()",
        "from datetime import date\ndate.today()",
    ],
)
def test_a_read_of_the_clock_is_seen_however_it_is_written(source: str) -> None:
    assert list(reads(ast.parse(source))) != []


def test_the_database_is_not_asked_what_time_it_is() -> None:
    asked = re.compile(
        r"\b(now\(\)|current_timestamp|clock_timestamp|statement_timestamp|localtimestamp)", re.I
    )
    found = [
        (path, node.value)
        for path, tree in sources()
        if path.endswith("sql.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and asked.search(node.value)
    ]

    assert found == []


def test_no_import_hides_inside_a_function() -> None:
    hidden = [
        (path, name)
        for path, tree in sources()
        if not path.startswith(IMPORTS_LATE)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for _, name in imported(function)
        if name.startswith((".", "flowdesk"))
    ]

    assert hidden == []


def test_there_are_no_hidden_doors() -> None:
    """No model signals, and no rules in `save` or `delete` (style 1.4, law 10)."""
    found = [
        (path, name)
        for path, tree in sources()
        for _, name in imported(tree)
        if name.startswith(("django.db.models.signals", "django.dispatch"))
    ]
    overridden = [
        (model._meta.label, name)
        for model in our_models()
        for name in ("save", "delete")
        if name in vars(model)
    ]

    assert found == []
    assert overridden == []


# Written in parts, so that this file does not name what it forbids.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "root", "home", "Users", "mnt")) + r")/[\w.]")
REGISTRY = re.compile(
    "|".join(("py" + r"pi\.", "python" + "hosted", "npm" + r"js\.", "arti" + "factory")), re.I
)


def test_no_text_names_a_machine_or_a_registry() -> None:
    found = [
        (name, line.strip()[:120])
        for name, text in our_texts()
        for line in text.splitlines()
        if MACHINE_PATH.search(line) or REGISTRY.search(line)
    ]

    assert found == []
