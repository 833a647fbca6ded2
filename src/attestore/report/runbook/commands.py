"""What a drill ran, as its logs tell it: command lines with placeholders where machine, folder or secret stood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Command", "read_command", "restoring", "shell_word"]

_LOG: Final = re.compile(r"command: (?P<words>.*)\nexit code: (?P<code>-?[0-9]+)\nduration: (?P<ms>[0-9]+) ms\n")
_WORD: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_NUMBER: Final = re.compile(r"logs/([0-9]+)-")
_WORK: Final = re.compile(r"/[^ ']*?/attestore-run-[A-Za-z0-9_]+")
_SECTIONS: Final = {"pre-data": "schema", "data": "data", "post-data": "indexes"}
_HUSHED: Final = frozenset(
    {
        "--batch",
        "--no-tty",
        "--no-options",
        "--no-greeting",
        "--no-auto-key-retrieve",
        "--no-auto-key-locate",
        "--disable-dirmngr",
    }
)
"""what keeps gpg from asking anybody; people at a terminal may be asked"""
_WITH_VALUE: Final = frozenset({"--status-fd", "--display-charset"})
_PRIVATE: Final = frozenset({"--username", "--pwfile"})
_TARGET: Final = '--dbname="$TARGET"'
_VARIABLES: Final = ("$WORK", "$GNUPGHOME")
_SAFE: Final = re.compile(r"[A-Za-z0-9_@%+=:,./!…-]+")


@dataclass(frozen=True, slots=True)
class Command:
    """One programme that ran: its words, how it ended, and for how long it ran."""

    words: tuple[str, ...]
    code: int
    ms: int

    @property
    def programme(self) -> str:
        """Its name without a folder."""
        return self.words[0].rpartition("/")[2]

    def shown(self) -> str:
        """The command line for people, with placeholders: `$WORK`, `$GNUPGHOME`, `$TARGET`."""
        return " ".join(_quoted(word) for word in _placed(self))


def read_command(text: str) -> Command | None:
    """The command of a programme's log; None where it is no such log."""
    found = _LOG.match(text)
    if found is None:
        return None
    words = tuple(_unquoted(one[1] if one[1] is not None else one[2]) for one in _WORD.finditer(found["words"]))
    return Command(words=words, code=int(found["code"]), ms=int(found["ms"])) if words else None


def restoring(logs: Mapping[str, str], *, parts: int) -> tuple[tuple[str, Command], ...]:
    """Of everything that a run ran, what its recovery consisted of, by phase and in order; `parts` were unsealed."""
    numbered = sorted((_position(name), text) for name, text in logs.items())
    ran = [command for _, text in numbered if (command := read_command(text)) is not None]
    first = next((at for at, each in enumerate(ran) if each.programme == "pg_restore"), len(ran))
    opened = [each for each in ran[:first] if each.programme == "gpg" and _opens(each)][-parts:]
    told: list[tuple[str, Command]] = [("unseal", each) for each in opened]
    for each in ran:
        if each.programme == "initdb" and "--version" not in each.words:
            told.append(("prepare", each))
        elif each.programme == "pg_restore":
            section = next((word.partition("=")[2] for word in each.words if word.startswith("--section=")), "")
            if section in _SECTIONS:
                told.append((_SECTIONS[section], each))
    return tuple(told)


def _opens(command: Command) -> bool:
    return command.words[-1] == "--decrypt" and "--max-output" not in command.words


def _position(name: str) -> int:
    found = _NUMBER.match(name)
    return int(found[1]) if found is not None else 0


def _placed(command: Command) -> Iterator[str]:
    """Its words as somebody else would have to write them on another machine."""
    yield command.programme
    words = iter(command.words[1:])
    for word in words:
        if word in _HUSHED:
            continue
        if word in _WITH_VALUE:
            next(words, None)
        elif word == "--homedir":
            next(words, None)
            yield from (word, "$GNUPGHOME")
        elif word.startswith("--dbname="):
            yield _TARGET
        elif word in _PRIVATE:
            next(words, None)
            yield from (word, "…")
        else:
            yield _WORK.sub("$WORK", word)


def _quoted(word: str) -> str:
    """A word as a shell takes it; placeholders stay variables."""
    for variable in _VARIABLES:
        if word == variable or word.startswith(f"{variable}/"):
            rest = word.removeprefix(variable)
            return f'"{variable}"{shell_word(rest) if rest else ""}'
    return word if word == _TARGET else shell_word(word)


def shell_word(text: str) -> str:
    """A word quoted for a shell, on one line whatever it holds."""
    if _SAFE.fullmatch(text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "'\\''") + "'"
    escaped = "".join(each if each.isprintable() and each not in "\\'" else f"\\U{ord(each):08x}" for each in text)
    return f"$'{escaped}'"


def _unquoted(text: str) -> str:
    """A word as `repr` wrote it; what it could not write plainly stays escaped."""
    return re.sub(r"\\(['\"\\])", r"\1", text)
