"""`make bench`: every measured bar as a ratio from one run, with CPU time beside it where a process is timed.

Each row alternates its two sides over several rounds and tells medians. `--json FILE` keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks import business_time, rules


def rows() -> list[dict[str, Any]]:
    """Each bar that this release measures."""
    return [*business_time.bars(), *rules.bars()]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument(
        "--json", type=Path, default=Path("bench-results.json"), help="where to keep the figures"
    )
    args = parser.parse_args()
    found = rows()
    print(f"{'what':<62}{'measured':>12}{'bar':>10}{'goal':>10}")
    for row in found:
        print(f"{row['what']:<62}{row['measured']:>11.2f}x{row['bar']:>10}{row['goal']:>10}")
    about = {"python": platform.python_version(), "machine": platform.machine(), "rows": found}
    args.json.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
