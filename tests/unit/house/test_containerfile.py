"""The image's definition, read as a builder would: no linter for it is at hand, so its rules are checked here."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


def last(word: str) -> str:
    return [rest for name, rest in instructions() if name == word][-1]


def test_every_instruction_is_one_and_every_base_is_pinned_by_a_tag() -> None:
    known = {"FROM", "ENV", "WORKDIR", "RUN", "COPY", "LABEL", "USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in instructions()} <= known  # no ADD, which would fetch or unpack
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert all(re.fullmatch(r"[a-z0-9./-]+:[a-z0-9.-]*[0-9][a-z0-9.-]*", base) for base in bases)
    assert len(set(bases)) == 1, "what is built on one base runs on the same"


def test_it_runs_without_root_and_begins_with_the_programme() -> None:
    assert last("USER") == "10001:10001"
    assert [word for word, _ in instructions()].index("USER") > max(
        number for number, (word, _) in enumerate(instructions()) if word == "RUN"
    )
    assert (last("ENTRYPOINT"), last("HEALTHCHECK")) == ('["attestore"]', "NONE")


def test_everything_comes_from_the_locks_and_nothing_is_left_of_the_package_lists() -> None:
    pip = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert ["--require-hashes" in each or "--no-deps" in each for each in pip] == [True, True]
    apt = [rest for word, rest in instructions() if word == "RUN" and "apt-get" in rest]
    assert all("--no-install-recommends" in each and "rm -rf /var/lib/apt/lists/*" in each for each in apt)


def test_no_secret_stands_in_it() -> None:
    for word, rest in instructions():
        if word in {"ENV", "ARG", "LABEL"}:
            assert not re.search(r"(?i)password|secret|token|private|_key", rest), rest


def test_what_it_copies_is_there_and_is_let_through_and_nothing_else_is() -> None:
    ignored = (ROOT / ".containerignore").read_text()
    assert (ROOT / ".dockerignore").read_text() == ignored
    rules = [line for line in ignored.splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_through = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [rest for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    names = [name for rest in copied for name in rest.split()[:-1]]
    assert all((ROOT / name).exists() for name in names)
    assert all(any(fnmatch.fnmatch(name, rule) for rule in let_through) for name in names)
    assert sorted(let_through) == sorted(names)
