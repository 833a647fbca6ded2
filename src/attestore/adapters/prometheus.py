"""Metric families in the Prometheus exposition format: as text, as a file for a textfile collector, pushed to a Pushgateway."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, generate_latest, push_to_gateway
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from attestore.archive import disk
from attestore.errors import UnreachableError, UsageError
from attestore.report.metrics import Family, Kind

__all__ = ["exposition", "push", "write"]

_JOB: Final = "attestore"
_TIMEOUT_S: Final = 15
_ENDING: Final = ".prom"


class _Told(Collector):
    """Families as the client library collects them."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = tuple(families)

    @override
    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            names = sorted({name for sample in family.samples for name in sample.labels})
            made: CounterMetricFamily | GaugeMetricFamily
            match family.kind:
                case Kind.COUNTER:
                    made = CounterMetricFamily(family.name, family.help, labels=names)
                case Kind.GAUGE:
                    made = GaugeMetricFamily(family.name, family.help, labels=names)
            for sample in family.samples:
                made.add_metric([sample.labels.get(name, "") for name in names], sample.value)
            yield made


def exposition(families: Iterable[Family]) -> bytes:
    """The families as text, format 0.0.4: what a scrape would answer."""
    return generate_latest(_registry(families))


def write(path: Path, families: Iterable[Family]) -> None:
    """The file that node_exporter's textfile collector reads, replaced as a whole and readable by everybody.

    Raises:
        UsageError: the collector would not read a file of that name, or its folder is not there.
        DiskError: it can't be written.
    """
    if path.suffix != _ENDING:
        raise UsageError(
            f"{path} does not end in {_ENDING}: a textfile collector would not read it",
            hint=f"Name it {path.with_suffix(_ENDING)}.",
        )
    if not path.parent.is_dir():
        raise UsageError(
            f"the folder of {path} is not there",
            hint="Give the folder that node_exporter's --collector.textfile.directory names.",
        )
    disk.replace(path, exposition(families))


def push(url: str, families: Iterable[Family], *, instance: str) -> None:
    """Replace what the Pushgateway holds of this job and instance.

    Raises:
        UsageError: the address can't be meant.
        UnreachableError: nobody answers there, or refuses.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise UsageError(
            f"the Pushgateway's address {parts.scheme}://{parts.hostname or ''} is not http(s)://host[:port]",
            hint="Leave out user and password; put a proxy that authenticates in front, or use --textfile.",
        )
    grouping: Mapping[str, str] = {"instance": instance}
    try:
        push_to_gateway(
            url.rstrip("/"), job=_JOB, registry=_registry(families), grouping_key=dict(grouping), timeout=_TIMEOUT_S
        )
    except urllib.error.HTTPError as problem:
        raise UnreachableError(
            f"the Pushgateway at {url} refuses the metrics: {problem.code} {problem.reason}",
            hint="Look at its log; a metric of another type under the same name makes it refuse.",
        ) from problem
    except (urllib.error.URLError, OSError) as problem:
        reason = problem.reason if isinstance(problem, urllib.error.URLError) else problem
        raise UnreachableError(
            f"the Pushgateway at {url} does not answer: {reason}", hint="Start it, or correct its address."
        ) from problem


def _registry(families: Iterable[Family]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(families))
    return registry
