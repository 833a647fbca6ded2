"""metrics and notify in attestore.yaml: where figures go, who is told, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.config import Installation, read_installation
from attestore.errors import GateError

CANARY = "s3cr3t-token"


def read(section: str) -> Installation:
    return read_installation(f"attestore: 1\n{section}\n".encode(), file=Path("/etc/attestore.yaml"))


def test_figures_go_where_the_file_says() -> None:
    found = read("metrics: {textfile: /srv/a.prom, pushgateway: 'http://push:9091', instance: db1}").metrics
    assert found is not None
    assert (found.textfile, found.pushgateway, found.instance) == (Path("/srv/a.prom"), "http://push:9091", "db1")


def test_people_are_named_by_reference() -> None:
    found = read("notify: {urls: ['env:TEAM', 'file:/run/ops'], before: 36h}").notify
    assert found is not None
    assert [each.written for each in found.urls] == ["env:TEAM", "file:/run/ops"]
    assert found.before == "36h"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("metrics: {}", "2:10: metrics: says nowhere to write to"),
        ("metrics: {textfile: a.txt}", "2:21: 'a.txt' does not end in .prom"),
        ("metrics: {pushgateway: 'push:9091'}", "2:24: 'push:9091' is not http(s)://host[:port]"),
        (f"metrics: {{pushgateway: 'http://u:{CANARY}@push'}}", "holds a user or a password"),
        ("metrics: {textfiel: a.prom}", "2:11: "),
        (f"notify: {{urls: ['ntfy://{CANARY}@host']}}", "2:17: 0: write env:NAME or file:/path"),
        ("notify: {urls: []}", "2:16: notify: names nobody to tell"),
        ("notify: {urls: ['env:TEAM'], before: soon}", "2:38: before: 'soon' is not a duration"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(section: str, said: str) -> None:
    """Without repeating what may be a secret."""
    with pytest.raises(GateError) as refused:
        read(section)
    assert said in refused.value.message
    assert CANARY not in f"{refused.value.message} {refused.value.hint}"
