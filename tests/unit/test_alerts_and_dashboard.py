"""Alert rules and dashboard ask for what is exported: every query is parsed, and its metrics and labels looked up."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import promql_parser as promql
import pytest
import yaml

from supervisor.metrics.families import FAMILIES
from supervisor.schemas.alarm import Severity

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRAPED = frozenset({"job", "instance"})
"""What Prometheus itself puts to every sample."""
LABELS: dict[str, frozenset[str]] = {
    name: SCRAPED | set(family.labels) | ({"le"} if name.endswith("_bucket") and family.kind == "histogram" else set())
    for family in FAMILIES.values()
    for name in family.samples
} | {"up": SCRAPED}
COUNTED = {name for family in FAMILIES.values() if family.kind != "gauge" for name in family.samples}
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "mcr.json").read_text(encoding="utf-8"))
TARGETS = [
    (panel["title"], target["expr"], target["legendFormat"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]
OVER_TIME = frozenset({"rate", "increase"})


def labels_of(node: promql.Expr) -> frozenset[str]:
    """The labels that the answer to a query has. Fails on a metric that is not exported or a label that it has not."""
    match node:
        case promql.VectorSelector():
            assert node.name in LABELS, f"{node.name} is not exported"
            return _matched(node)
        case promql.MatrixSelector():
            return labels_of(node.vector_selector)
        case promql.ParenExpr() | promql.UnaryExpr():
            return labels_of(node.expr)
        case promql.AggregateExpr():
            return _aggregated(node)
        case promql.BinaryExpr():
            return _joined(node)
        case promql.Call():
            return _called(node)
        case promql.NumberLiteral():
            return frozenset()
        case _:
            raise AssertionError(f"{node}: of a kind that nothing here knows")


def _matched(node: promql.VectorSelector) -> frozenset[str]:
    there = LABELS[node.name or ""]
    for matcher in node.matchers.matchers:
        assert matcher.name in there, f"{node.name} has no label {matcher.name}"
    return there


def _aggregated(node: promql.AggregateExpr) -> frozenset[str]:
    inner = labels_of(node.expr)
    if str(node.op) == "topk":
        return inner
    wanted = frozenset(node.modifier.labels) if node.modifier else frozenset()
    assert node.modifier is None or node.modifier.type == promql.AggModifierType.By
    assert wanted <= inner, f"{node}: there is no {sorted(wanted - inner)}"
    return wanted


def _joined(node: promql.BinaryExpr) -> frozenset[str]:
    left, right = labels_of(node.lhs), labels_of(node.rhs)
    modifier = node.modifier
    if modifier is None or modifier.matching is None:
        assert not left or not right or left == right, f"{node}: {sorted(left)} never matches {sorted(right)}"
        return left or right
    on = frozenset(modifier.matching.labels)
    assert on <= left, f"{node}: on {sorted(on)}"
    assert on <= right, f"{node}: on {sorted(on)}"
    brought = frozenset(modifier.group_labels or ())
    assert brought <= right, f"{node}: there is no {sorted(brought - right)}"
    return left | brought


def _called(node: promql.Call) -> frozenset[str]:
    name, vectors = node.func.name, [it for it in node.args if not isinstance(it, promql.NumberLiteral)]
    if name == "vector":
        return frozenset()
    (vector,) = vectors
    if name in OVER_TIME:
        assert isinstance(vector, promql.MatrixSelector)
        assert vector.vector_selector.name in COUNTED, f"{name} of what is no counter: {vector}"
    found = labels_of(vector)
    if name == "histogram_quantile":
        assert "le" in found, f"{node}: the bounds are lost"
        return found - {"le"}
    return found


def _named_in(text: str) -> set[str]:
    return set(re.findall(r"\$labels\.(\w+)", text))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_there_is_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Mcr[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in get_args(Severity)
    assert set(rule["annotations"]) == {"summary", "description"}
    found = labels_of(promql.parse(rule["expr"]))
    for text in rule["annotations"].values():
        assert _named_in(text) <= found, f"{text}: the answer has {sorted(found)}"


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) > 20


@pytest.mark.parametrize(
    ("title", "query", "legend"), TARGETS, ids=[f"{title} {n}" for n, (title, _, _) in enumerate(TARGETS)]
)
def test_a_panel_asks_for_what_there_is(title: str, query: str, legend: str) -> None:
    found = labels_of(promql.parse(query.replace("$channel", ".*")))
    named = set(re.findall(r"\{\{(\w+)\}\}", legend))
    assert named <= found, f"{title}: the answer has {sorted(found)}"


def test_what_the_panels_choose_channels_by_is_exported() -> None:
    (choice,) = [it for it in DASHBOARD["templating"]["list"] if it["name"] == "channel"]
    query = re.fullmatch(r"query_result\((.*)\)", choice["query"])
    assert query is not None
    assert labels_of(promql.parse(query.group(1))) == {"channel", "name"}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_the_check_itself_finds_what_is_wrong() -> None:
    for query, why in (
        ("mcr_nothing == 0", "not exported"),
        ('mcr_leader{channel="1"} == 1', "no label channel"),
        ("sum by (node) (mcr_heartbeat_age_seconds)", "there is no"),
        ("rate(mcr_leader[5m])", "no counter"),
        ("mcr_leader / on (node) mcr_node_up", "on "),
        ("max by (node) (mcr_node_up) * on (node) group_left (title) mcr_node_info", "there is no"),
    ):
        with pytest.raises(AssertionError, match=why):
            labels_of(promql.parse(query))
    with pytest.raises(ValueError, match="unclosed"):
        promql.parse("sum by (")


def test_the_most_important_figures_are_alerted_on() -> None:
    """Of what a station must not overlook none is only exported."""
    asked = " ".join(rule["expr"] for rule in RULES)
    wanted = {
        "mcr_off_air_seconds", "mcr_heartbeat_age_seconds", "mcr_frames_late_total", "mcr_output_up", "mcr_node_up",
        "mcr_journal_lag_records", "mcr_failovers_total", "mcr_loop_lag_seconds", "mcr_alarms_open", "mcr_leader",
    }  # fmt: skip
    assert {name for name in wanted if name not in asked} == set()
