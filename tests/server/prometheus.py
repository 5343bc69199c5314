"""Reads the text format of Prometheus 0.0.4 by its grammar, and takes nothing that is not in it.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from itertools import pairwise

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|Inf)|NaN"
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])*)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ({NUMBER})")
Samples = dict[tuple[str, str], float]
"""By name and labels, as they stand there."""


class Scrape:
    """One page. kinds: by name of the family."""

    def __init__(self, text: str) -> None:
        assert text.endswith("\n")
        self.kinds: dict[str, str] = {}
        self.samples: Samples = {}
        helped: set[str] = set()
        family = ""
        for line in text[:-1].split("\n"):
            if found := HELP.fullmatch(line):
                assert found[1] not in helped, "help comes once"
                helped.add(found[1])
                family = found[1]
            elif found := TYPE.fullmatch(line):
                assert found[1] == family, "the type follows the help"
                assert found[1] not in self.kinds
                self.kinds[found[1]] = found[2]
            else:
                found = SAMPLE.fullmatch(line)
                assert found is not None, line
                self._sample(family, found[1], found[2] or "", float(found[3]))
        for name, kind in self.kinds.items():
            if kind == "histogram":
                self._check_histogram(name)

    def __getitem__(self, name: str) -> float:
        """Of a figure without labels."""
        return self.samples[name, ""]

    def of(self, name: str, label: str) -> float:
        """0 for what has not been counted yet."""
        return self.samples.get((name, label), 0)

    def _sample(self, family: str, name: str, labels: str, value: float) -> None:
        ends = ("_bucket", "_sum", "_count") if self.kinds[family] == "histogram" else ("",)
        assert name in {family + end for end in ends}, "all samples of a family stand together"
        assert (name, labels) not in self.samples
        assert self.kinds[family] != "counter" or name.endswith("_total")
        self.samples[name, labels] = value

    def _check_histogram(self, name: str) -> None:
        buckets = [
            (float(labels.removeprefix('le="').removesuffix('"')), value)
            for (sample, labels), value in self.samples.items()
            if sample == f"{name}_bucket"
        ]
        assert buckets[-1] == (float("inf"), self.samples[f"{name}_count", ""])
        for (lower, few), (upper, more) in pairwise(buckets):
            assert lower < upper
            assert few <= more
