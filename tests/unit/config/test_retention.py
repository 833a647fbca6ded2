"""The section `retention`: what it may say, and what is refused with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.config import read_installation
from attestore.config.retention import Policy, read_retention
from attestore.errors import GateError


def read(section: str) -> Policy:
    text = f"attestore: 1\nsystems:\n  shop:\n    retention: {section}\n"
    node = read_installation(text.encode(), file=Path("attestore.yaml")).systems["shop"].retention
    assert node is not None
    return read_retention(node)


def test_it_reads_as_the_policy_it_says() -> None:
    said = "{daily: 7, weekly: 4, monthly: 6, yearly: 0, at_least: 3, time_zone: Europe/Berlin}"
    policy = read(said)
    assert policy == Policy(daily=7, weekly=4, monthly=6, at_least=3, time_zone="Europe/Berlin")
    assert policy.words == "daily 7, weekly 4, monthly 6, at least 3, by the calendar of Europe/Berlin"
    assert read("{daily: 1}") == Policy(daily=1, at_least=1, time_zone="UTC")


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("{dayly: 7}", "attestore.yaml:4:17: unknown key 'dayly' | Did you mean daily?"),
        ("{daily: -1}", "attestore.yaml:4:24: daily is -1; it must be from 0 to 10000 | "),
        ("{at_least: 0}", "attestore.yaml:4:27: at_least is 0; it must be from 1 to 10000 | "),
        ("{daily: 10001}", "attestore.yaml:4:24: daily is 10001; it must be from 0 to 10000 | "),
        ("{time_zone: Mars/Base}", "attestore.yaml:4:28: there is no time zone 'Mars/Base' | "),
        ("{time_zone: ../../etc/passwd}", "attestore.yaml:4:28: there is no time zone '../../etc/passwd' | "),
    ],
)
def test_what_can_t_be_meant_is_refused_where_it_stands(section: str, sentence: str) -> None:
    with pytest.raises(GateError) as caught:
        read(section)
    assert f"{caught.value.message} | {caught.value.hint}".startswith(sentence)
