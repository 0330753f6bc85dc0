"""Finding duplicates against what people linked: recall and mean average precision beside plain baselines.

`python -m benchmarks.quality.duplicates FOLDER` with the folder that holds `duplicates/`. The way is the product's:
a vocabulary that grows as reports come, the telling terms of each, the latest holders of each term as candidates,
likeness to rank them. The baselines rank every earlier report.
"""

from __future__ import annotations

import csv
import gzip
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from statistics import mean

from flowdesk.engine.lexicon import words_of
from flowdesk.engine.likeness import (
    CANDIDATES,
    HOLDERS,
    MOST_ASKED,
    MOST_TELLING,
    Digest,
    Vocabulary,
    digest_of,
    key_of,
    likeness,
    weights_of,
)
from flowdesk.triage.subjects import subjects_alike

Ranked = Mapping[str, Sequence[str]]  # by report: others, most alike first


@dataclass(frozen=True, slots=True)
class Report:
    """One report in the order of its time."""

    id: str
    subject: str
    text: str

    @property
    def words(self) -> list[str]:
        return words_of(f"{self.subject} {self.subject} {self.text}")


def rows_of(path: Path, *, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of a table, packed or plain."""
    opened = gzip.open if path.suffix == ".gz" else open
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter, quoting=quoting)


# -- rankings


def ours(reports: Sequence[Report], wanted: set[str]) -> tuple[Ranked, float]:
    """Each wanted report's ranking of those before it, and CPU-ms a report."""
    vocabulary = Vocabulary()
    holders: dict[int, list[str]] = defaultdict(list)
    digests: dict[str, Digest] = {}
    subjects: dict[str, str] = {}
    ranked: dict[str, Sequence[str]] = {}
    begun = time.process_time()
    for report in reports:
        weights = weights_of(report.subject, report.text)
        digest = digest_of(weights, vocabulary)
        if report.id in wanted:
            scores: Counter[str] = Counter()
            for key, weight in zip(digest.keys[:MOST_ASKED], digest.weights, strict=False):
                for other in holders[key][-HOLDERS:]:
                    scores[other] += weight * vocabulary.rarity(key)  # type: ignore[assignment]
            found = [other for other, _ in scores.most_common(CANDIDATES)]
            alike = {
                other: likeness(
                    digest, digests[other], vocabulary=vocabulary,
                    subjects=subjects_alike(report.subject, subjects[other]),
                )
                for other in found
            }  # fmt: skip
            ranked[report.id] = sorted(alike, key=lambda other: -alike[other])
        vocabulary.add({key_of(term) for term in weights})
        digests[report.id], subjects[report.id] = digest, report.subject
        for key in digest.keys[:MOST_TELLING]:
            holders[key].append(report.id)
    spent = (time.process_time() - begun) / len(reports) * 1000
    return ranked, spent


def by_cosine(reports: Sequence[Report], wanted: set[str]) -> Ranked:
    """Plain TF-IDF over whole words, every earlier report looked at."""
    counts = {report.id: Counter(report.words) for report in reports}
    holding = Counter(word for words in counts.values() for word in words)
    vectors = {}
    for name, words in counts.items():
        vector = {word: count * log(len(reports) / holding[word]) for word, count in words.items()}
        length = sqrt(sum(weight**2 for weight in vector.values())) or 1.0
        vectors[name] = {word: weight / length for word, weight in vector.items()}

    def score(one: str, other: str) -> float:
        return sum(weight * vectors[other].get(word, 0.0) for word, weight in vectors[one].items())

    return _all_earlier(reports, wanted, score)


def by_bm25(reports: Sequence[Report], wanted: set[str], *, k: float = 1.2, b: float = 0.75) -> Ranked:
    """BM25 over whole words, every earlier report looked at."""
    counts = {report.id: Counter(report.words) for report in reports}
    holding = Counter(word for words in counts.values() for word in words)
    lengths = {name: words.total() for name, words in counts.items()}
    usual = mean(lengths.values())

    def score(one: str, other: str) -> float:
        total, words = 0.0, counts[other]
        for word in counts[one]:
            if word in words:
                rarity = log(1 + (len(reports) - holding[word] + 0.5) / (holding[word] + 0.5))
                held = words[word] * (k + 1) / (words[word] + k * (1 - b + b * lengths[other] / usual))
                total += rarity * held
        return total

    return _all_earlier(reports, wanted, score)


def _all_earlier(
    reports: Sequence[Report], wanted: set[str], score: Callable[[str, str], float]
) -> dict[str, Sequence[str]]:
    ranked: dict[str, Sequence[str]] = {}
    for place, report in enumerate(reports):
        if report.id in wanted:
            scores = {other.id: score(report.id, other.id) for other in reports[:place]}
            ranked[report.id] = sorted(scores, key=lambda other: -scores[other])
    return ranked


# -- measures


def say_ranking(
    name: str, ranked: Ranked, right: Mapping[str, set[str]], *, spent: float | None = None
) -> None:
    """Recall at 1, 5 and 10, and mean average precision; what a ranking leaves out counts as never found."""
    hits = {
        depth: mean(len(right[one] & set(ranked[one][:depth])) / len(right[one]) for one in right)
        for depth in (1, 5, 10)
    }
    precision = mean(_average_precision(ranked[one], right[one]) for one in right)
    tail = f"   {spent:.2f} CPU-ms a report" if spent is not None else ""
    print(
        f"  {name:18} recall at 1 {hits[1]:.3f}, at 5 {hits[5]:.3f}, at 10 {hits[10]:.3f}"
        f"   mean average precision {precision:.3f}{tail}"
    )


def _average_precision(ranking: Sequence[str], right: set[str]) -> float:
    found, total = 0, 0.0
    for place, other in enumerate(ranking, start=1):
        if other in right:
            found += 1
            total += found / place
    return total / len(right)


def bug_reports(folder: Path) -> None:
    """Linked pairs of real bug reports, each later one against all that came before."""
    rows = sorted(rows_of(folder / "duplicates/gitbugs_seamonkey.csv.gz"), key=lambda row: row["created_utc"])
    reports = [Report(row["issue_id"], row["summary"], row["description"]) for row in rows]
    place = {report.id: at for at, report in enumerate(reports)}
    right: dict[str, set[str]] = defaultdict(set)
    for row in rows_of(folder / "duplicates/gitbugs_seamonkey_pairs.csv"):
        if row["issue_a"] in place and row["issue_b"] in place:
            one, other = sorted((row["issue_a"], row["issue_b"]), key=place.__getitem__, reverse=True)
            right[one].add(other)
    wanted = set(right)
    pairs = sum(map(len, right.values()))
    print(f"\nbug reports: {len(reports)}, {pairs} linked pairs")
    say_ranking("plain cosine", by_cosine(reports, wanted), right)
    say_ranking("BM25", by_bm25(reports, wanted), right)
    ranked, spent = ours(reports, wanted)
    say_ranking("flowdesk", ranked, right, spent=spent)
    candidates = sum(len(right[one] & set(ranked[one])) for one in right)
    print(f"  candidates held {candidates / pairs:.1%} of the pairs")


def forum_questions(folder: Path) -> None:
    """Ten found questions a question, to be put into order: perfect and relevant before irrelevant ones."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(folder / "duplicates/semeval2016_qq_train.csv.gz"):
        groups[row["question1_id"]].append(row)
    right = {
        name: {row["question2_id"] for row in rows if row["relevance"] != "Irrelevant"}
        for name, rows in groups.items()
    }
    right = {name: some for name, some in right.items() if some}
    reports = {}
    for name, rows in groups.items():
        reports[name] = _question(name, rows[0]["question1"])
        for row in rows:
            reports[row["question2_id"]] = _question(row["question2_id"], row["question2"])
    vocabulary = Vocabulary()
    weights = {name: weights_of(report.subject, report.text) for name, report in reports.items()}
    for own in weights.values():
        vocabulary.add({key_of(term) for term in own})
    digests = {name: digest_of(own, vocabulary) for name, own in weights.items()}
    plain, engine, ranked = {}, {}, {}
    for name in right:
        rows = groups[name]
        engine[name] = [row["question2_id"] for row in sorted(rows, key=lambda row: int(row["search_rank"]))]
        some = [reports[row["question2_id"]] for row in rows]
        mine = reports[name]
        alike = {
            other.id: likeness(
                digests[name], digests[other.id], vocabulary=vocabulary,
                subjects=subjects_alike(mine.subject, other.subject),
            )
            for other in some
        }  # fmt: skip
        ranked[name] = sorted(alike, key=lambda other: -alike[other])
        plain[name] = by_bm25([*some, mine], {name})[name]
    print(f"\nforum questions: {len(right)} with something relevant among ten")
    say_ranking("the search engine", engine, right)
    say_ranking("BM25", plain, right)
    say_ranking("flowdesk", ranked, right)


def _question(name: str, text: str) -> Report:
    subject, _, body = text.partition(". ")
    return Report(name, subject, body)


def swedish_sentences(folder: Path) -> None:
    """Pairs of Swedish sentences with people's likeness from 0 to 5: how well ours goes along with it."""
    rows = [
        row
        for part in ("train", "dev")
        for row in rows_of(folder / f"duplicates/sweparaphrase_sv_{part}.tsv.gz", delimiter="\t")
    ]
    vocabulary = Vocabulary()
    pairs = []
    for row in rows:
        one, other = (weights_of("", row[side]) for side in ("sentence_1", "sentence_2"))
        for weights in (one, other):
            vocabulary.add({key_of(term) for term in weights})
        pairs.append((one, other))
    truth, said, plain = [], [], []
    for row, (one, other) in zip(rows, pairs, strict=True):
        first, second = digest_of(one, vocabulary), digest_of(other, vocabulary)
        truth.append(float(row["label"]))
        subjects = subjects_alike(row["sentence_1"], row["sentence_2"])
        said.append(likeness(first, second, vocabulary=vocabulary, subjects=subjects))
        words, others = set(words_of(row["sentence_1"])), set(words_of(row["sentence_2"]))
        plain.append(len(words & others) / max(1, len(words | others)))
    print(f"\nSwedish sentences: {len(rows)} pairs, correlation with people")
    print(f"  shared words       Pearson {pearson(truth, plain):.3f}, Spearman {spearman(truth, plain):.3f}")
    print(f"  flowdesk           Pearson {pearson(truth, said):.3f}, Spearman {spearman(truth, said):.3f}")


def pearson(one: Sequence[float], other: Sequence[float]) -> float:
    first, second = mean(one), mean(other)
    together = sum((a - first) * (b - second) for a, b in zip(one, other, strict=True))
    spread = sqrt(sum((a - first) ** 2 for a in one) * sum((b - second) ** 2 for b in other))
    return together / spread


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    return pearson(_ranks(one), _ranks(other))


def _ranks(values: Sequence[float]) -> list[float]:
    """Places from 1, those of equal values being their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, at = [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for place in order[at : end + 1]:
            ranks[place] = (at + end) / 2 + 1
        at = end + 1
    return ranks


def main() -> None:
    folder = Path(sys.argv[1])
    for measure in (bug_reports, forum_questions, swedish_sentences):
        measure(folder)


if __name__ == "__main__":
    main()
