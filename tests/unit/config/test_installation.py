"""attestore.yaml: what it may say, and what is refused with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.config import Installation, read_installation
from attestore.errors import GateError, UsageError

EXAMPLE = b"""\
attestore: 1
home: keys
reports: /srv/reports
gates: gates
roster: roster.yaml
keys:
  recipients: [0123456789ABCDEF0123456789ABCDEF01234567]
stores:
  local: {kind: directory, path: /srv/backups}
  offsite: {kind: directory, path: /mnt/offsite}
systems:
  shop:
    source: service=shop
    stores: [offsite]
    gates: [S9-PROD-004]
    jobs: 4
    method: audit
  wiki: {}
"""


def read(text: bytes) -> Installation:
    return read_installation(text, file=Path("/etc/attestore.yaml"))


def refused(text: bytes) -> str:
    with pytest.raises(GateError) as caught:
        read(text)
    return f"{caught.value.message} | {caught.value.hint}"


def test_paths_are_relative_to_the_file_and_what_is_not_said_has_its_default() -> None:
    found = read(EXAMPLE)
    assert (found.home, found.reports, found.gates, found.roster) == (
        Path("/etc/keys"),
        Path("/srv/reports"),
        Path("/etc/gates"),
        Path("/etc/roster.yaml"),
    )
    bare = read(b"attestore: 1\n")
    assert (bare.home, bare.reports, bare.gates, bare.roster) == (
        Path("/etc/.attestore"),
        Path("/etc/reports"),
        None,
        None,
    )
    assert (dict(bare.systems), dict(bare.stores), bare.recipients) == ({}, {}, ())


def test_a_system_names_its_stores_or_has_all_of_them() -> None:
    found = read(EXAMPLE)
    assert found.systems["shop"].stores == ("offsite",)
    assert found.systems["wiki"].stores == ("local", "offsite")
    assert (found.systems["shop"].jobs, found.systems["wiki"].jobs, found.systems["wiki"].source) == (4, None, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"home: keys\n", ":1:1: the format version is missing | Begin the file with: attestore: 1"),
        (b"[]\n", ":1:1: the configuration is not a mapping"),
        (b"attestore: 2\nnew: 1\n", ":1:12: attestore: 2 is a format that this version does not know"),
        (b"attestore: true\n", ":1:12: attestore: True is a format"),
        (b"attestore: 1\nsytems: {}\n", ":2:1: unknown key 'sytems' | Did you mean systems?"),
        (b"attestore: 1\nsystems:\n  a: {sauce: x}\n", ":3:7: unknown key 'sauce' | Did you mean source?"),
        (b"attestore: 1\nsystems: {a: {stores: [b]}}\n", ":2:24: there is no store 'b' | Describe it below stores:"),
        (
            b"attestore: 1\nstores: {local: {}}\nsystems: {a: {stores: [locl]}}\n",
            ":3:24: there is no store 'locl' | Did you mean local?",
        ),
        (
            b"attestore: 1\nstores: {l: {}}\nsystems: {a: {stores: [l, l]}}\n",
            ":3:27: the store 'l' is named twice",
        ),
        (b'attestore: 1\nsystems: {"a b": {}}\n', ":2:11: 'a b' can't name a system"),
        (b'attestore: 1\nstores: {"../x": {}}\n', ":2:10: '../x' can't name a store"),
        (b"attestore: 1\nsystems: {a: {jobs: 0}}\n", ":2:21: jobs: 0 is out of range"),
        (b"attestore: 1\nsystems: {a: {source_jobs: 65}}\n", ":2:28: source_jobs: 65 is out of range"),
        (b"attestore: 1\nsystems: {a: {source_pause: soon}}\n", ":2:29: source_pause: 'soon' is not a duration"),
        (b"attestore: 1\nsystems: {a: {source_pause: 2m}}\n", ":2:29: source_pause: 2m is longer than a minute"),
        (b"attestore: 1\nsystems: {a: {method: guess}}\n", ":2:23: method: 'guess' is not one of audit, stream"),
        (b"attestore: 1\nsystems: {a: {gates: [X1, X1]}}\n", ":2:27: the gate 'X1' is named twice"),
        (b"attestore: 1\nkeys: {recipients: [abc]}\n", ":2:21: the recipient 'abc' is not 40 upper-case"),
        (b'attestore: 1\nhome: ""\n', ":2:7: a path is empty"),
        (b"attestore: 1\nstores: [local]\n", ":2:9: stores: a list is not a mapping"),
        (b"attestore: 1\nreport: pretty\n", ":2:9: report: 'pretty' is not a mapping"),
        (b"attestore: 1\nattestore: 1\n", ":2:1: the key 'attestore' appears twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(text: bytes, said: str) -> None:
    assert refused(text).startswith(f"/etc/attestore.yaml{said}")


@pytest.mark.parametrize(
    "source",
    [
        "host=db password=hunter2",
        "host=db PASSWORD = 'hunter2'",
        "postgresql://olga:hunter2@db/shop",
        "postgresql://db/shop?password=hunter2",
        "postgresql://db/shop?pass%77ord=hunter2",
        "host=db sslpassword=hunter2",
    ],
)
def test_a_password_in_a_source_is_refused_and_not_repeated(source: str) -> None:
    said = refused(f'attestore: 1\nsystems: {{a: {{source: "{source}"}}}}\n'.encode())
    assert "the source holds a password" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "source",
    [
        "service=shop",
        "shop",
        "postgresql://olga@db:5432,db2:5433/shop",
        "host=db passfile=/etc/pgpass user=olga",
        "host=db require_auth=scram-sha-256",
    ],
)
def test_a_source_without_a_password_is_taken_as_it_is(source: str) -> None:
    text = f'attestore: 1\nsystems: {{a: {{source: "{source}"}}}}\n'.encode()
    assert read(text).systems["a"].source == source


def test_a_system_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="has no system 'shp'") as caught:
        read(EXAMPLE).system("shp")
    assert caught.value.hint == "Did you mean shop?"
