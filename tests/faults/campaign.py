"""The campaign: a load, due clocks, and processes killed at random; `python -m tests.faults.campaign --help`.

It starts an installation of its own, kills what the seed says, waits until everything that was due is done, holds
rows and mails against what was acknowledged, prints the figures and removes every trace.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.installation import Installation, NotServing, Part, an_installation, free_port, wait_until
from tests.faults.load import Ledger, Load
from tests.faults.post import Post, a_post
from tests.faults.servers import a_server
from tests.faults.verdict import Verdict, settled_verdict

# How often each part is hit, by weight; the supervisor takes everything with it and starts from nothing.
WEIGHTS = {
    Part.SERVER: 8, Part.WEB: 6, Part.WORKER: 10, Part.POSTMASTER: 6, Part.BACKEND: 10, Part.SUPERVISOR: 5,
}  # fmt: skip
TENANTS = ("north", "south", "west")
CLIENTS = 4
PAUSE = 0.5  # seconds a client rests: the campaign is about faults, the bench about speed
REST = (0.1, 0.8)  # seconds between two kills, once the last one's victim serves again
MOST_AT_ONCE = 3  # kills within half a second
BACK_WITHIN = 40.0  # seconds after which a victim counts as not coming back


@dataclass(frozen=True, slots=True)
class Kill:
    part: Part
    at: float  # seconds of the monotonic clock
    is_alone: bool  # nothing else was killed until it served again


@dataclass(kw_only=True)
class Report:
    """What a campaign did and found."""

    seed: int
    seconds: float
    kills: list[Kill] = field(default_factory=list)
    ledger: Ledger
    post: Post
    verdict: Verdict

    @property
    def figures(self) -> dict[str, Any]:
        """What the campaign did and found, durations in seconds; `parts` says what each kind of kill cost."""
        back = self.back_after()
        return {
            "seed": self.seed,
            "seconds": round(self.seconds),
            "kills": len(self.kills),
            "requests": self.ledger.tries,
            "acknowledged": len(self.ledger.acknowledged),
            "unanswered": self.ledger.unanswered,
            **{f"answered {status}": count for status, count in sorted(self.ledger.refused.items())},
            **{
                name.replace("_", " "): len(value) if isinstance(value, list) else value
                for name, value in asdict(self.verdict).items()
            },
            "parts": {
                part.value: {
                    "kills": count,
                    "back after, median": round(statistics.median(back[part]), 2) if back[part] else None,
                    "back after, longest": round(max(back[part]), 2) if back[part] else None,
                }
                for part, count in Counter(kill.part for kill in self.kills).items()
            },
        }

    def back_after(self) -> dict[Part, list[float]]:
        """Seconds until each kind of victim was back: a request acknowledged, or a mail brought by a new worker."""
        times: dict[Part, list[float]] = defaultdict(list)
        for kill in self.kills:
            sign = self.post if kill.part is Part.WORKER else self.ledger
            back = sign.first_after(kill.at)
            if kill.is_alone and back is not None:
                times[kill.part].append(back - kill.at)
        return times

    def table(self) -> str:
        """The figures for people, and the beginning of whatever is wrong."""
        figures = self.figures
        parts = figures.pop("parts")
        lines = [f"{name:<22}{value:>10}" for name, value in figures.items()]
        lines += [f"{'killed':<22}{'times':>10}{'back after, median':>20}{'longest':>10}"]
        lines += [
            f"{name:<22}{cost['kills']:>10}{cost['back after, median'] or '-':>20}"
            f"{cost['back after, longest'] or '-':>10}"
            for name, cost in parts.items()
        ]
        wrong = [f"{name}: {found[:5]}" for name, found in self.verdict.faults.items()]
        return "\n".join([*lines, *wrong, *self.ledger.worst[:5]])


def campaign(
    *, seed: int, kills: int, seconds: float = 0.0, workers: int = 1, progress: bool = False
) -> Report:
    """At least `kills` kills and `seconds` of load on one installation; raises NotServing when it does not come back.

    With more than one worker the database is a server of its own, as several machines would share it.
    """
    chance = random.Random(seed)
    began = time.monotonic()
    done: list[Kill] = []
    with a_post(free_port()) as post, _an_installation(post, workers=workers) as installation:
        keys = installation.furnish(*TENANTS)
        load = Load(port=installation.port, keys=keys, seed=seed, pause=PAUSE)
        with load.running(clients=CLIENTS) as ledger:
            wait_until(lambda: len(ledger.acknowledged) > CLIENTS, what="the clients were answered")
            started = time.monotonic()
            while len(done) < kills or time.monotonic() - started < seconds:
                done += _strike(installation, ledger, post, chance)
                if progress:
                    print(f"{time.monotonic() - started:5.0f} s  {len(done)} kills", flush=True)
            _let_serve(installation, ledger)
        verdict = settled_verdict(installation.admin_dsn(), ledger, post)
    return Report(
        seed=seed, seconds=time.monotonic() - began, kills=done, ledger=ledger, post=post, verdict=verdict
    )


@contextmanager
def _an_installation(post: Post, *, workers: int) -> Iterator[Installation]:
    mail = {"FLOWDESK_SMTP_URL": f"smtp://127.0.0.1:{post.port}"}
    if workers == 1:
        with an_installation(mail) as installation:
            yield installation
        return
    with a_server() as server, an_installation(mail, database=server) as installation:
        for _ in range(workers - 1):
            installation.add_worker()
        yield installation


def _let_serve(installation: Installation, ledger: Ledger) -> None:
    """After the last kill: everything is up and answers."""
    ended_at = time.monotonic()

    def is_back() -> bool:
        installation.keep_running()
        return ledger.first_after(ended_at) is not None

    wait_until(is_back, what="it serves again at the end")


def _strike(installation: Installation, ledger: Ledger, post: Post, chance: random.Random) -> Sequence[Kill]:
    """Kill one thing, or some within half a second; wait until it serves again, and rest a little."""
    hit = []
    for _ in range(chance.randint(1, MOST_AT_ONCE)):
        part, at = _kill(installation, chance)
        if part is not None:
            hit.append((part, at))
        time.sleep(chance.uniform(0.0, 0.5))
    if not hit:
        return ()
    last_part, last_at = hit[-1]
    sign = post if last_part is Part.WORKER else ledger

    def is_back() -> bool:
        installation.keep_running()
        return sign.first_after(last_at) is not None

    try:
        wait_until(is_back, what=f"the {last_part} came back", patience=BACK_WITHIN)
    except NotServing as fault:
        raise NotServing(f"{fault}\n{installation.last_words()}") from None
    time.sleep(chance.uniform(*REST))
    return [Kill(part, at, is_alone=len(hit) == 1) for part, at in hit]


def _kill(installation: Installation, chance: random.Random) -> tuple[Part | None, float]:
    """Kill -9 a process of a part that is up; the part and the instant."""
    part = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    processes = installation.processes(part)
    if not processes:
        return None, 0.0
    with suppress(ProcessLookupError):
        os.kill(chance.choice(processes), signal.SIGKILL)
        return part, time.monotonic()
    return None, 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill processes under load and count what was lost.")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on for at least so long")
    parser.add_argument("--kills", type=int, default=50, help="and for at least so many kills (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of what is killed when (default: by the clock)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes (default: 1)")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended and removed
    seed = args.seed or int(time.time()) % 1_000_000
    report = campaign(
        seed=seed, kills=args.kills, seconds=args.minutes * 60, workers=args.workers, progress=True
    )
    print(report.table())
    if args.json:
        args.json.write_text(json.dumps(report.figures, indent=2) + "\n")
    return 1 if report.verdict.faults or report.ledger.worst else 0


if __name__ == "__main__":
    sys.exit(main())
