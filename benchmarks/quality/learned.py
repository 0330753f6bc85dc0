"""How good learned models are on real rows, beside two plain rivals.

    python -m benchmarks.quality.learned FOLDER [--only NAME …] [--folds 5] [--json FILE]

FOLDER holds the data sets, each as `text/<file>`; one that is not there is passed over and said to be. Every set but
`clinc150` is measured by cross-validation in five folds, or as many as told, stratified and shuffled by the fixed seed:
plain folds, the customary way; only where a file marks near duplicates (`endava`, `multilang`) are those kept in one
fold, which is stricter. `clinc150` is trained on its training part and measured once on its validation part. All of
training, with its threshold, sees training rows only.

The rivals see the same folds: `majority` always says the commonest label; `logistic` is scikit-learn's TF-IDF over
single words with logistic regression, both as they come. An abstention on a row in scope counts as wrong in
`at threshold`; `accuracy` and `macro F1` are those of the best label, never abstaining, as the rivals' are.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import platform
import sys
import warnings
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from flowdesk.learning.examples import Example
from flowdesk.learning.model import Model
from flowdesk.learning.quality import Judged, judge, quality_of
from flowdesk.learning.storage import model_from_bytes, model_to_bytes
from flowdesk.learning.training import train_model

SEED = 20
OUT_OF_SCOPE = "oos"


@dataclass(frozen=True, slots=True)
class Rows:
    """One set's rows; `groups` says which are near duplicates of one another."""

    examples: Sequence[Example]
    groups: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What to train on and what to measure on."""

    training: Sequence[Example]
    test: Sequence[Example]


@dataclass(slots=True)
class Costs:
    train_seconds: list[float]
    answer_milliseconds: list[float]
    megabytes: list[float]


Reader = Callable[[Path], Rows]


def csv_rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(10_000_000)
    stored = path.read_bytes()
    plain = gzip.decompress(stored) if path.suffix == ".gz" else stored
    return csv.DictReader(StringIO(plain.decode("utf-8-sig"), newline=""))


def table(name: str, *, text: Sequence[str], label: str, group: str | None = None) -> Reader:
    """Reads a CSV file; several text columns become one text."""

    def read(folder: Path) -> Rows:
        rows = [row for row in csv_rows(folder / "text" / name) if row[label].strip()]
        examples = [Example("\n".join(row[one] for one in text if row[one]), row[label]) for row in rows]
        return Rows(examples, [row[group] for row in rows] if group else None)

    return read


def sentences(name: str) -> Reader:
    """Reads the questions of an intent corpus."""

    def read(folder: Path) -> Rows:
        found = json.loads((folder / "text" / name).read_text(encoding="utf-8"))["sentences"]
        return Rows([Example(one["text"], one["intent"]) for one in found])

    return read


def tweets(label_set: str) -> Reader:
    """Reads one company's tweets; of several labels the first."""

    def read(folder: Path) -> Rows:
        name = "twcs_labelled_issues_inbound_train.jsonl.gz"
        with gzip.open(folder / "text" / name, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        return Rows(
            [
                Example(row["text"], row["labels"][0])
                for row in rows
                if row["label_set"] == label_set and row["labels"]
            ]
        )

    return read


SETS: Mapping[str, Reader] = {
    "banking77": table("banking77_train.csv.gz", text=["text"], label="category"),
    "hint3 curekart": table("hint3_curekart_train.csv", text=["sentence"], label="label"),
    "hint3 powerplay11": table("hint3_powerplay11_train.csv", text=["sentence"], label="label"),
    "hint3 sofmattress": table("hint3_sofmattress_train.csv", text=["sentence"], label="label"),
    "nlu_eval ask ubuntu": sentences("nlu_eval_AskUbuntu_train.json"),
    "nlu_eval web apps": sentences("nlu_eval_WebApplications_train.json"),
    "endava category": table(
        "endava_it_tickets_train.csv.gz", text=["title", "body"], label="category", group="near_dup_group"
    ),
    "endava urgency": table(
        "endava_it_tickets_train.csv.gz", text=["title", "body"], label="urgency", group="near_dup_group"
    ),
    "multilang queue": table(
        "tickets_multilang_synthetic_train.csv.gz",
        text=["subject", "body"],
        label="queue",
        group="near_dup_group",
    ),
    "twcs amazon": tweets("AmazonHelp"),
    "twcs apple": tweets("AppleSupport"),
    "twcs spotify": tweets("SpotifyCares"),
}


def clinc(folder: Path) -> Trial:
    with gzip.open(folder / "text" / "clinc150_train_val.json.gz", "rt", encoding="utf-8") as file:
        found = json.load(file)
    part = {name: [Example(text, label) for text, label in rows] for name, rows in found.items()}
    return Trial(part["train"] + part["oos_train"], part["val"] + part["oos_val"])


def trials_of(rows: Rows, folds: int) -> Iterator[Trial]:
    labels = [one.label for one in rows.examples]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label with fewer rows than folds: it is so
        if rows.groups is None:
            splits = StratifiedKFold(folds, shuffle=True, random_state=SEED).split(labels, labels)
        else:
            splits = StratifiedGroupKFold(folds, shuffle=True, random_state=SEED).split(
                labels, labels, rows.groups
            )
        for training, test in splits:
            yield Trial([rows.examples[at] for at in training], [rows.examples[at] for at in test])


def measure(trials: Iterator[Trial], name: str) -> dict[str, Any]:
    """Every row answered once by a model that had not seen it."""
    ours: list[Judged] = []
    majority: list[Judged] = []
    logistic: list[Judged] = []
    costs = Costs([], [], [])
    for number, trial in enumerate(trials, 1):
        print(f"{name}: part {number}", file=sys.stderr, flush=True)
        ours += _ours(trial, costs)
        majority += _majority(trial)
        logistic += _logistic(trial)
    own = asdict(quality_of(ours))
    del own["labels"], own["confusions"]
    return {
        "set": name,
        "labels": len({one.truth for one in ours} - {None}),
        **own,
        "majority": _rival(majority),
        "logistic": _rival(logistic),
        "train_seconds": max(costs.train_seconds),
        "answer_milliseconds": max(costs.answer_milliseconds),
        "megabytes": max(costs.megabytes),
    }


def _ours(trial: Trial, costs: Costs) -> list[Judged]:
    began = perf_counter()
    stored = model_to_bytes(train_model(trial.training, out_of_scope=OUT_OF_SCOPE))
    costs.train_seconds.append(perf_counter() - began)
    costs.megabytes.append(len(stored) / 1e6)
    model: Model = model_from_bytes(stored)  # what is measured is what would be served
    model.answer("")
    began = process_time()
    judged = judge(model, trial.test, out_of_scope=OUT_OF_SCOPE)
    costs.answer_milliseconds.append((process_time() - began) / len(trial.test) * 1000)
    return judged


def _majority(trial: Trial) -> list[Judged]:
    common = Counter(one.label for one in trial.training if one.label != OUT_OF_SCOPE).most_common(1)[0][0]
    return [_said(one, common) for one in trial.test]


def _logistic(trial: Trial) -> list[Judged]:
    known = [one for one in trial.training if one.label != OUT_OF_SCOPE]
    words = TfidfVectorizer()
    machine = LogisticRegression(max_iter=1_000).fit(
        words.fit_transform(one.text for one in known), [one.label for one in known]
    )
    said = machine.predict(words.transform(one.text for one in trial.test))
    return [_said(one, str(label)) for one, label in zip(trial.test, said, strict=True)]


def _said(one: Example, label: str) -> Judged:
    return Judged(None if one.label == OUT_OF_SCOPE else one.label, label, 1.0, False)


def _rival(judged: Sequence[Judged]) -> dict[str, Any]:
    quality = quality_of(judged)
    return {"accuracy": quality.accuracy_of_best, "macro_f1": quality.macro_f1_of_best}


HEAD = (
    "| set | rows | labels | majority acc · F1 | logistic acc · F1 | **accuracy** | **macro F1** | at threshold "
    "| coverage | right, of answered | out-of-scope recall | calibration error | training s | answer ms | MB |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def line(found: Mapping[str, Any]) -> str:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    majority, logistic = found["majority"], found["logistic"]
    cells = (
        found["set"],
        f"{found['rows']:,}",
        found["labels"],
        f"{share(majority['accuracy'])} · {share(majority['macro_f1'])}",
        f"{share(logistic['accuracy'])} · {share(logistic['macro_f1'])}",
        f"**{share(found['accuracy_of_best'])}**",
        f"**{share(found['macro_f1_of_best'])}**",
        share(found["accuracy"]),
        share(found["coverage"]),
        share(found["accuracy_of_answered"]),
        share(found["out_of_scope_recall"]),
        share(found["calibration_error"]),
        f"{found['train_seconds']:.0f}",
        f"{found['answer_milliseconds']:.2f}",
        f"{found['megabytes']:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def conditions(folds: int) -> str:
    return (
        f"Python {platform.python_version()}, numpy {np.__version__}, scikit-learn {sklearn.__version__}, "
        f"{os.cpu_count()} cores; {folds} folds, seed {SEED}; seconds by the clock, the slowest fold; "
        "milliseconds of CPU for one answer with its reasons, the slowest fold's mean"
    )


def main() -> int:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="sets whose name begins so")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    args = parser.parse_args()
    print(conditions(args.folds), "", HEAD, sep="\n", flush=True)
    kept = []
    for name in ("clinc150", *SETS):
        if args.only and not name.startswith(tuple(args.only)):
            continue
        try:
            trials = (
                iter([clinc(args.folder)])
                if name == "clinc150"
                else trials_of(SETS[name](args.folder), args.folds)
            )
        except FileNotFoundError as missing:
            print(f"{name}: passed over, there is no {missing.filename}", file=sys.stderr)
            continue
        kept.append(measure(trials, name))
        print(line(kept[-1]), flush=True)
    if args.json:
        args.json.write_text(
            json.dumps({"conditions": conditions(args.folds), "sets": kept}, indent=1) + "\n", "utf-8"
        )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
