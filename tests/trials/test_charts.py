"""Charts of what was measured."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from coterie.trials.charts import charts
from coterie.trials.figures import Figure
from coterie.trials.svg import Chart, Series, svg

SVG = "{http://www.w3.org/2000/svg}"


def figure(name: str, *values: float, floor: tuple[float, ...] = ()) -> Figure:
    return Figure(name=name, what="what it is", unit="ms", values=values, floor=floor)


MEASURED = [
    figure("server.direct.open200.p50", 0.5, 0.6, 0.7, floor=(0.4, 0.4, 0.4)),
    figure("server.direct.open200.p99", 3.0, floor=(2.0,)),
    figure("server.direct.open1000.p50", 0.9, floor=(0.5,)),
    figure("server.direct.open1000.p99", 30.0, floor=(5.0,)),
    figure("postgres.direct.open200.p50", 1.1, floor=(0.4,)),
    figure("postgres.direct.open1000.p50", 2.1, floor=(0.5,)),
    figure("server.direct.80x1", 36.0, floor=(20.0,)),
    figure("server.room.10", 6.0, floor=(3.0,)),
    figure("server.room.1000", 5.0, floor=(2.0,)),
    figure("server.room.flat", 5.0, floor=(6.0,)),
    figure("server.entries.10000", 30.0),
    figure("server.entries.10000.database", 10.0),
]


def test_each_series_is_in_the_file_with_all_its_points() -> None:
    root = ElementTree.fromstring(charts(MEASURED)["latency.svg"])
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == ["floor p50", "floor p99", "postgres p50", "server p50", "server p99"]
    lines = list(root.iter(f"{SVG}polyline"))
    assert [len((line.get("points") or "").split()) for line in lines] == [2] * 5
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert "server p50: 0.6 at 200" in titles
    assert "server p99: 30 at 1000" in titles


def test_a_line_of_p99_has_the_color_of_its_p50_and_is_dashed() -> None:
    root = ElementTree.fromstring(charts(MEASURED)["latency.svg"])
    styles = [line.get("class") for line in root.iter(f"{SVG}polyline")]
    assert styles == ["line c0", "line c0 dashed", "line c1", "line c2", "line c2 dashed"]


def test_all_points_lie_within_the_axes_and_more_is_higher() -> None:
    root = ElementTree.fromstring(charts(MEASURED)["latency.svg"])
    for line in root.iter(f"{SVG}polyline"):
        (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in (line.get("points") or "").split())
        assert 0 <= x1 < x2 <= 720
        assert 400 >= y1 > y2 >= 0, "each of them takes longer under more load"


def test_only_what_was_measured_at_two_places_is_a_chart() -> None:
    assert charts(MEASURED).keys() == {"latency.svg", "cost-by-room.svg"}
    assert charts([]) == {}


def test_a_chart_is_made_for_light_and_for_dark_pages() -> None:
    text = charts(MEASURED)["cost-by-room.svg"]
    light, dark = text.split("@media (prefers-color-scheme:dark)")
    for rule in (".page{", "text{fill:", ".grid{", ".line.c0{", ".dot.c1{"):
        assert rule in light
        assert rule in dark


def test_words_are_no_markup() -> None:
    words = 'a < b & "c"'
    chart = Chart(words, words, words, (Series(words, ((1.0, 0.0), (10.0, 0.0))),))
    root = ElementTree.fromstring(svg(chart))
    assert root.get("aria-label") == words
    assert [text.text for text in root.iter(f"{SVG}text")].count(words) == 4
