"""A private key on paper: what is typed back is the key, and every typing error is found where it is."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.gpg import Key, Subkey, paper
from attestore.errors import KeyringError

PACKETS = hashlib.shake_256(b"a key").digest(1000)


def key(user_id: str = "Attestore backup") -> Key:
    primary = Subkey(
        fingerprint="0123456789ABCDEF" * 2 + "01234567",
        keyid="89ABCDEF01234567",
        algorithm="RSA",
        bits=4096,
        capabilities=frozenset({"sign"}),
        created=datetime(2026, 3, 1, tzinfo=UTC),
        expires=None,
        revoked=False,
        expired=False,
    )
    return Key(primary=primary, user_ids=(user_id,), subkeys=(primary,), secret=True)


PAGE = paper.write(key(), PACKETS, locked=False)
TYPED = [number for number, line in enumerate(PAGE.splitlines()) if line[:3].isdecimal()]


def test_a_page_gives_the_key_back() -> None:
    assert paper.is_paper(PAGE.encode())
    assert paper.read(PAGE) == PACKETS


@given(st.binary(min_size=1, max_size=4000))
def test_any_key_comes_back_from_its_page(packets: bytes) -> None:
    assert paper.read(paper.write(key(), packets, locked=True)) == packets


def test_spaces_and_empty_lines_do_not_count() -> None:
    typed = "\n\n".join(line.replace(" ", "   ") if line[:3].isdecimal() else line for line in PAGE.splitlines())
    assert paper.read(typed) == PACKETS
    joined = [
        f"{line.split()[0]} {''.join(line.split()[1:-1])} {line.split()[-1].upper()}" if line[:3].isdecimal() else line
        for line in PAGE.splitlines()
    ]
    assert paper.read("\r\n".join(joined)) == PACKETS


@given(st.sampled_from(TYPED), st.integers(5, 57), st.sampled_from("0OlI1aA+/Zz9"))
def test_a_wrong_character_is_found_in_its_line(line: int, column: int, character: str) -> None:
    lines = PAGE.splitlines()
    before = lines[line]
    if column >= len(before.rstrip()) - 6 or before[column] in {" ", character}:
        return
    lines[line] = before[:column] + character + before[column + 1 :]
    with pytest.raises(KeyringError, match=f"line {before[:3]} is typed wrong"):
        paper.read("\n".join(lines))


def test_lines_that_are_missing_swapped_or_there_twice_are_named() -> None:
    lines = PAGE.splitlines()
    first, second = TYPED[0], TYPED[1]
    with pytest.raises(KeyringError, match="line 002 is missing"):
        paper.read("\n".join(lines[:second] + lines[second + 1 :]))
    with pytest.raises(KeyringError, match="line 001 is there twice"):
        paper.read("\n".join([*lines, lines[first]]))
    swapped = [*lines[:first], "001" + lines[second][3:], "002" + lines[first][3:], *lines[second + 1 :]]
    with pytest.raises(KeyringError, match="line 001 is typed wrong, line 002 is typed wrong"):
        paper.read("\n".join(swapped))


@pytest.mark.parametrize("left_out", ["last line", "digest", "everything"])
def test_a_page_that_is_not_whole_is_refused(left_out: str) -> None:
    lines = PAGE.splitlines()
    match left_out:
        case "last line":
            del lines[TYPED[-1]]
        case "digest":
            lines = [line for line in lines if not line.startswith("SHA-256")]
        case _:
            lines = lines[:1]
    with pytest.raises(KeyringError, match="not whole"):
        paper.read("\n".join(lines))


def test_the_recipes_on_the_page_work_without_us(tmp_path: Path) -> None:
    (tmp_path / "FILE").write_text(PAGE)
    recipe = next(line for line in PAGE.splitlines() if line.strip().startswith("awk")).removesuffix("| gpg --import")
    assert subprocess.run(recipe, shell=True, cwd=tmp_path, capture_output=True, check=True).stdout == PACKETS  # noqa: S602
    number, *groups, check = PAGE.splitlines()[TYPED[0]].split()
    by_hand = hashlib.sha256(f"{number} {''.join(groups)}".encode()).hexdigest()[:4]
    assert (by_hand, base64.b64decode("".join(groups))) == (check, PACKETS[:36])


def test_a_user_id_cannot_forge_a_line() -> None:
    page = paper.write(key("x\n001  AAAA  0000\u202e"), PACKETS, locked=False)
    assert paper.read(page) == PACKETS
    assert "\u202e" not in page
