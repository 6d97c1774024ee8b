"""What was read, in Prometheus' text format 0.0.4."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from supervisor.metrics.families import FAMILIES, Family
from supervisor.tally import Spread

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Value = float | tuple[Sequence[tuple[str, int]], float]
"""A number; of a histogram the counts by bound, and the sum."""


class Reading:
    """Values by family, taken at one moment. A family that nothing is known of has none."""

    def __init__(self) -> None:
        self.values: dict[str, list[tuple[tuple[str, ...], Value]]] = {}

    def add(self, name: str, value: float | None, *labels: str) -> None:
        """``value`` None: not known, and so not told."""
        if value is not None:
            self._add(FAMILIES[name], labels, float(value))

    def add_spread(self, name: str, spread: Spread, *labels: str) -> None:
        self._add(FAMILIES[name], labels, (spread.cumulated(), spread.total))

    def _add(self, family: Family, labels: tuple[str, ...], value: Value) -> None:
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name} has the labels {family.labels}, not {len(labels)}")
        self.values.setdefault(family.name, []).append((labels, value))


def exposition(reading: Reading) -> bytes:
    """The reading as text, and this process's own figures. Slow for many channels: not in the event loop."""
    registry = CollectorRegistry()
    registry.register(_Given(reading.values))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, values: Mapping[str, Sequence[tuple[tuple[str, ...], Value]]]) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        """In the order of the table."""
        for name, family in FAMILIES.items():
            if name in self._values:
                yield _metric(family, self._values[name])


def _metric(family: Family, values: Sequence[tuple[tuple[str, ...], Value]]) -> Metric:
    name, labels = family.name.removesuffix("_total"), family.labels
    match family.kind:
        case "gauge":
            metric = GaugeMetricFamily(name, family.meaning, labels=labels)
        case "counter":
            metric = CounterMetricFamily(name, family.meaning, labels=labels)
        case "histogram":
            metric = HistogramMetricFamily(name, family.meaning, labels=labels)
    for names, value in values:
        if isinstance(metric, HistogramMetricFamily) and isinstance(value, tuple):
            metric.add_metric(names, value[0], value[1])
        elif not isinstance(metric, HistogramMetricFamily) and not isinstance(value, tuple):
            metric.add_metric(names, value)
    return metric
