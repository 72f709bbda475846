"""Map: what the model does by place, each cell against the whole, and one cell over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.http import QueryDict

from dashboard import examples
from dashboard.charts import words
from dashboard.charts.cells import LEAST_ROWS, MapCell, MapPoints, ground_of
from dashboard.charts.chart import ChartView
from dashboard.charts.draw_map import map_view
from dashboard.shelf import number
from dashboard.tabs import map_cell
from dashboard.tabs.map_layers import (
    COUNT,
    DRIFT,
    MEAN,
    Choice,
    Json,
    Layer,
    address,
    counted,
    layers,
    pairs,
    rows_of,
    whole,
    whole_question,
)
from dashboard.tabs.parts import Tab, switch
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.poll.areas import geospatial
from monitoring.questions import Question


def build(subject: Subject, query: QueryDict) -> Tab:
    """The map, the list beside it, and the open cell over time."""
    subject.shelf.read([q.features(), q.feature_drift(subject.judged, model_id=subject.model_id)])
    known = places(subject)
    if not known:
        return Tab("dashboard/tab_map.html", more=_off(subject))
    offered = layers(subject)
    layer = offered.get(query.get("by", "")) or offered[COUNT]
    place = query.get("place", "")
    chosen = Choice(place if place in known else known[0], layer, query.get("cell", "")[:16])
    subject.shelf.read(_asked(subject, chosen))
    points = map_points(subject, chosen)
    charts = {"main": _chart(subject, chosen, points)}
    more: dict[str, Any] = {
        "place": chosen.place,
        "layer": layer,
        "layer_switch": _switch(subject, chosen, offered),
        "place_switch": _places_switch(subject, chosen, known) if len(known) > 1 else "",
        "segmented": subject.view.segment is not None,
        "ranked": _ranked(points),
        "more_cells": max(0, len(points.shown) - len(_ranked(points))),
    }
    if chosen.cell and ground_of(chosen.cell) is not None:
        charts |= {"cell": map_cell.chart(subject, chosen)}
        more |= map_cell.numbers(subject, chosen, points)
    return Tab("dashboard/tab_map.html", charts, more=more)


def places(subject: Subject) -> list[str]:
    """The geospatial features that the source follows."""
    followed = subject.settings.segment_analysis.attributes or [] if subject.settings.segment_analysis else []
    return [name for name in geospatial(subject.shelf.payload(q.features())) if name in followed]


def _asked(subject: Subject, chosen: Choice) -> list[Question]:
    asked = [counted(subject, chosen), chosen.layer.ask(subject.window, chosen.place)]
    if (whole := whole_question(subject, chosen.layer)) is not None:
        asked.append(whole)
    if chosen.cell and ground_of(chosen.cell) is not None:
        asked += map_cell.asked(subject, chosen)
    return asked


# --- The map ------------------------------------------------------------------------------------------------------


def map_points(subject: Subject, chosen: Choice) -> MapPoints:
    """Every cell with rows; those that the layer does not tell of have no value."""
    layer = chosen.layer
    told = {
        str(row.get("hexagon")): layer.read(row) for row in rows_of(subject, layer.ask(subject.window, chosen.place))
    }
    sizes = {str(row.get("hexagon")): number(row, "rowCount") for row in rows_of(subject, counted(subject, chosen))}
    cells = []
    for name in dict.fromkeys((*told, *sizes)):
        value, n = told.get(name, (None, 0 if told else None))
        if n is None and layer.key in (COUNT, MEAN):
            n = None if sizes.get(name) is None else round(sizes[name] or 0)
        cells.append(MapCell(name, value, n, _cell_href(subject, chosen, name)))
    return MapPoints(
        tuple(cells),
        layer.word,
        layer.text,
        better=layer.better,
        whole=whole(subject, chosen).value if layer.key != COUNT else None,
        limit=subject.drift_limit if layer.is_drift else None,
        judged=layer.key != COUNT,
        additive=layer.key == COUNT,
        rows=layer.rows,
        selected=chosen.cell,
    )


def _chart(subject: Subject, chosen: Choice, points: MapPoints) -> ChartView:
    question = chosen.layer.ask(subject.window, chosen.place)
    waiting = not subject.shelf.payload(question) and subject.view.as_of is None
    title = "The map is on its way" if waiting and not points.loud else ""
    against = f" Colours stand around {points.text(points.whole)}, all rows." if points.better and points.whole else ""
    return map_view(
        "map-main",
        points,
        title=title,
        caption=f"{chosen.layer.word} by cell of {chosen.place}, {subject.range_words}",
        term=chosen.layer.term,
        foot=f"{_sizes(points)}{against} Click a cell for its series; arrow keys walk from cell to cell.",
        api_url=subject.api_url(question),
        csv_url=subject.csv_url("map", "main", pairs(chosen)),
    )


def _sizes(points: MapPoints) -> str:
    """How large cells really are."""
    if not points.shown:
        return ""
    area = sum(ground.km2 for _, ground in points.shown) / len(points.shown)
    cells = words.count(len(points.shown), "cell")
    return f"{cells} of about {words.compact(area)}{words.THIN}km², small ones drawn larger."


def _ranked(points: MapPoints, most: int = 12) -> list[dict[str, Any]]:
    """The first cells of the table beside the map."""
    grounds = {cell.hexagon: ground for cell, ground in points.shown}
    return [
        {
            "words": grounds[cell.hexagon].words,
            "value": points.text(cell.value),
            "n": cell.n,
            "href": cell.href,
            "chosen": cell.hexagon == points.selected,
        }
        for cell in points.loud[:most]
    ]


# --- Addresses ----------------------------------------------------------------------------------------------------


def _cell_href(subject: Subject, chosen: Choice, hexagon: str) -> str:
    """Short, as there may be a thousand of them: the query alone."""
    query = subject.view.query()
    start = f"{query}&" if query else "?"
    return f"{start}by={quote(chosen.layer.key)}&place={quote(chosen.place)}&cell={hexagon}#cell"


def _switch(subject: Subject, chosen: Choice, offered: dict[str, Layer]) -> str:
    first = [offered[key] for key in (COUNT, MEAN, subject.metric, DRIFT) if key in offered]
    first = first if chosen.layer in first else [*first[:3], chosen.layer]

    def option(one: Layer) -> tuple[str, str, bool]:
        return one.word, address(subject, chosen, by=one.key), one.key == chosen.layer.key

    return switch("Colour", [option(one) for one in first], [option(one) for one in offered.values()])


def _places_switch(subject: Subject, chosen: Choice, known: Sequence[str]) -> str:
    return switch(
        "Places", [(name, address(subject, chosen, place=name, cell=""), name == chosen.place) for name in known]
    )


def _off(subject: Subject) -> Json:
    """What would be here, and how to have it."""
    names = geospatial(subject.shelf.payload(q.features()))
    known = subject.settings.segment_analysis
    followed = list(known.attributes or []) if known else []
    wanted = {"enabled": True, "attributes": [*followed, names[0] if names else "PLACE"]}
    why = (
        f"{names[0]} holds places, but segment analysis does not follow it."
        if names
        else "The model has no geospatial feature: register it with one, such as points of latitude and longitude."
    )
    label = f"Follow {names[0] if names else 'a geospatial feature, in place of PLACE'}"
    return {
        "off": f"Here stand predictions, accuracy and drift by place, as hexagons that can be opened. {why}",
        "example": examples.settings(subject.watched, label, segmentAnalysis=wanted),
        "least": LEAST_ROWS,
    }
