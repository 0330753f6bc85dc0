"""`make bench`: every measured bar as a ratio from one run, with CPU time beside it.

Each row alternates its two sides over several rounds and tells medians. `--only NAME` measures one row, `--quick`
all of them on small desks (to see that they run: its figures mean little), `--json FILE` keeps the figures. The
command `load` fills a database with tickets instead (see `benchmarks.load`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.desk import set_django_up
from benchmarks.run import Row, Run, conditions

set_django_up()  # before the rows are imported: they want models

from benchmarks import (  # noqa: E402
    assign,
    bulk_import,
    business_time,
    create,
    handover,
    hub,
    inbox,
    load,
    rules,
    similar,
    start,
    sweep,
    wake,
)

ROWS: Mapping[str, Callable[[Run], Sequence[Row]]] = {
    "business_time": business_time.bars,
    "rules": rules.bars,
    "sweep": sweep.bars,
    "hub": hub.bars,
    "inbox": inbox.bars,
    "similar": similar.bars,
    "create": create.bars,
    "assign": assign.bars,
    "wake": wake.bars,
    "import": bulk_import.bars,
    "handover": handover.bars,
    "start": start.bars,
}


def main() -> int:
    """Print every row asked for; 1 when a bar is missed in a full run."""
    if sys.argv[1:2] == ["load"]:
        return load.main(sys.argv[2:])
    args = _parser().parse_args()
    run, about = Run(quick=args.quick), conditions()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    found: list[Row] = []
    try:
        # In their own order: what writes to a desk comes after what reads it.
        for name in (one for one in ROWS if one in (args.only or ROWS)):
            run.say(f"{name} …")
            measured = ROWS[name](run)
            print("\n".join(line for row in measured for line in _lines(row)), flush=True)
            found += measured
        about["postgresql"] = run.server.version if "server" in vars(run) else None
    finally:
        run.close()
    kept = {
        "about": about,
        "quick": args.quick,
        "rows": [{**asdict(row), "verdict": row.verdict} for row in found],
    }
    args.json.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return int(not args.quick and any(row.verdict == "missed" for row in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), help="this row; may be given more than once"
    )
    parser.add_argument("--quick", action="store_true", help="small desks and few rounds")
    parser.add_argument(
        "--json", type=Path, default=Path("bench-results.json"), help="where to keep the figures"
    )
    return parser


def _lines(row: Row) -> list[str]:
    limits = [
        f"{name} {limit:g} {row.unit}"
        for name, limit in (("bar", row.bar), ("goal", row.goal))
        if limit is not None
    ]
    lines = [f"\n{row.what}", f"    {row.measured:.2f} {row.unit}  ({', '.join(limits)})  {row.verdict}"]
    for name, timed in row.sides.items():
        database = f", PostgreSQL {timed.database_cpu:.3f} ms CPU" if timed.database_cpu else ""
        lines.append(f"    {name:<28} {timed.wall:9.3f} ms  ({timed.cpu:.3f} ms CPU{database})")
    return lines + [f"    {note}" for note in row.notes]


if __name__ == "__main__":
    sys.exit(main())
