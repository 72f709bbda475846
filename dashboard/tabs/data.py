"""Data: the rows that the source has stored, how good they are, and the files that were exported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from dashboard import examples
from dashboard.acts.section_files import LISTS, WORDS, files_of
from dashboard.charts import words
from dashboard.shelf import number, objects
from dashboard.tabs import data_quality, data_rows, measures
from dashboard.tabs.parts import Tab, switch
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.questions import Question

Json = dict[str, Any]
TEXT_ROWS = 25
MOST_WORDS = 80
AGAIN = timedelta(minutes=10)
EXPORTS = tuple((question, kind) for kind, question in LISTS.items())


@dataclass(frozen=True)
class Export:
    """One export; `files`: the name of each, and its address for who may have it."""

    what: str
    made: datetime | None
    span: str
    status: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Text:
    """One generated text with what was measured on it."""

    at: datetime | None
    id: str
    prompt: str
    response: str
    actual: str
    metrics: tuple[tuple[str, str], ...]
    contexts: tuple[tuple[str, str], ...]


def build(subject: Subject, query: QueryDict) -> Tab:
    """Rows or generated texts, the quality of the features, exports."""
    subject.shelf.read(_first(subject))
    subject.shelf.read([question for question, _ in EXPORTS], again=AGAIN)
    is_text = subject.watched.target_type == "TextGeneration"
    charts, more = texts_part(subject, query) if is_text else rows_part(subject, query)
    subject.shelf.read(data_quality.questions(subject))
    quality = data_quality.features(subject)
    charts = charts | {"quality": data_quality.table(quality)}
    return Tab(
        "dashboard/tab_data.html",
        charts,
        more={
            **more,
            "is_text": is_text,
            "quality": quality,
            "quality_title": data_quality.title(quality),
            "quality_why": _quality_why(subject, quality),
            "quality_csv": subject.csv_url("data", "quality"),
            "quality_api": _api(subject, data_quality.questions(subject)),
            "quality_span": "newest batch" if subject.watched.batch_monitoring else subject.range_words,
            "exports": exports(subject),
            "exports_known": any(subject.shelf.payload(question) for question, _ in EXPORTS),
            "segmented": subject.view.segment is not None,
            "past": subject.view.as_of is not None,
        },
    )


def _first(subject: Subject) -> list[Question]:
    by_batch = subject.watched.batch_monitoring
    drift = q.feature_drift(subject.judged, model_id=subject.model_id)
    return [q.batches(), q.features()] if by_batch else [drift, q.features()]


def _api(subject: Subject, asked: list[Question]) -> str:
    return subject.api_url(asked[0]) if asked else ""


# --- Rows ---------------------------------------------------------------------------------------------------------


def rows_part(subject: Subject, query: QueryDict) -> tuple[dict[str, Any], Json]:
    """The rows of a stretch, or of a batch."""
    stretch = data_rows.stretch_of(subject, query)
    if subject.watched.batch_monitoring:
        known = [str(row["id"]) for row in subject.shelf.entries(q.batches()) if row.get("id")]
        chosen = stretch.batch if stretch.batch in known else next(iter(measures.newest_batch(subject)), "")
        stretch = replace(stretch, batch=chosen)
        if not chosen:
            return {}, {"rows": [], "no_batch": True}
    else:
        stretch = replace(stretch, batch="")
    stretch = data_rows.settle(subject, stretch)
    question = data_rows.question_of(subject, stretch)
    answer, found = subject.shelf.payload(question), data_rows.rows(subject, stretch)
    charts = {"rows": data_rows.file_of(subject, stretch, found)}
    return charts, {
        "rows": found,
        "rows_known": bool(answer),
        "rows_title": _rows_title(subject, stretch, found, answer),
        "rows_note": _rows_note(subject, stretch, answer),
        "id_columns": _id_columns(answer),
        "rows_csv": subject.csv_url("data", "rows", data_rows.pairs(stretch)),
        "rows_api": subject.api_url(question),
        "stretch": stretch,
        "older": "" if stretch.batch else data_rows.address(subject, stretch, until=data_rows.moved(stretch, -1)),
        "newer": _newer(subject, stretch),
        "stretch_switch": "" if stretch.batch else _stretch_switch(subject, stretch),
        "label_switch": _label_switch(subject, stretch),
        "batches": subject.shelf.entries(q.batches())[:50] if stretch.batch else [],
        "distances": any(one.distance for one in found),
        "errors": any(one.error for one in found),
        "chances": any(one.chance for one in found),
        "example": examples.predictions(subject.watched),
        "nothing": subject.watched.last_prediction_at is None and not found,
    }


def _id_columns(answer: Json) -> str:
    names = answer.get("associationIdColumnNames")
    return words.listed([str(one) for one in names]) if isinstance(names, list) else ""


def _newer(subject: Subject, stretch: data_rows.Stretch) -> str:
    newest = subject.watched.last_prediction_at or subject.now
    return (
        ""
        if stretch.batch or stretch.end > newest
        else data_rows.address(subject, stretch, until=data_rows.moved(stretch, 1))
    )


def _rows_title(subject: Subject, stretch: data_rows.Stretch, found: list[data_rows.Row], answer: Json) -> str:
    if not answer:
        return "Rows were not asked for by then" if subject.view.as_of else "Rows are on their way"
    what = {"with": " with an actual", "without": " without an actual"}.get(stretch.labelled, "")
    if not found:
        return f"No row{what} in this {'batch' if stretch.batch else 'stretch'}"
    more = "The first " if answer.get("next") else ""
    count = words.count(len(found), "row")
    return f"{more}{count}{what}{', newest first' if not more else ', the latest of them first'}"


def _rows_note(subject: Subject, stretch: data_rows.Stretch, answer: Json) -> str:
    """From when to when, and what is left out."""
    zone, now = subject.reader.zone, subject.now
    where = "In the chosen batch" if stretch.batch else (
        f"{words.stamp(stretch.window.start, zone, now)} to {words.stamp(stretch.window.end, zone, now)}"
    )  # fmt: skip
    cut = f"; it holds more than {data_rows.MOST}, choose a shorter stretch" if answer.get("next") else ""
    return f"{where}{cut}. Asked of the source when you looked, forgotten after a day."


def _stretch_switch(subject: Subject, stretch: data_rows.Stretch) -> str:
    options = [
        (data_rows.stretch_words(key), data_rows.address(subject, stretch, stretch=key), key == stretch.key)
        for key in data_rows.STRETCHES
    ]
    at = list(data_rows.STRETCHES).index(stretch.key)
    near = options[max(0, at - 1) : at + 2]
    return switch("Stretch", near, options)


def _label_switch(subject: Subject, stretch: data_rows.Stretch) -> str:
    said = {"": "All rows", "with": "With an actual", "without": "Without"}
    return switch(
        "Actuals",
        [
            (word, data_rows.address(subject, stretch, labels=key), key == stretch.labelled)
            for key, word in said.items()
        ],
    )


# --- Generated texts ----------------------------------------------------------------------------------------------


def texts_part(subject: Subject, query: QueryDict) -> tuple[dict[str, Any], Json]:
    """Prompts and responses of the range, searched and sorted."""
    subject.shelf.read([q.custom_metrics()])
    names = [str(one["name"]) for one in subject.shelf.entries(q.custom_metrics()) if _sortable(one)]
    metric = query.get("sort", "") if query.get("sort", "") in names else ""
    prompt, response = query.get("prompt", "")[:MOST_WORDS].strip(), query.get("response", "")[:MOST_WORDS].strip()
    page = _page(query.get("page", ""))
    question = q.generated_texts(
        subject.window,
        limit=TEXT_ROWS,
        offset=TEXT_ROWS * (page - 1),
        model_id=subject.model_id,
        prompt=prompt,
        prediction=response,
        metric=metric,
        ascending=query.get("order") == "up",
    )
    subject.shelf.read([question])
    answer = subject.shelf.payload(question)
    total = number(answer, "totalCount")
    found = [_text(one) for one in subject.shelf.entries(question)]
    kept = {"prompt": prompt, "response": response, "sort": metric, "order": "up" if query.get("order") == "up" else ""}
    return {}, {
        "texts": found,
        "rows_known": bool(answer),
        "text_total": total,
        "text_api": subject.api_url(question),
        "metric_names": names,
        "sort": metric,
        "up": query.get("order") == "up",
        "prompt": prompt,
        "response": response,
        "page": page,
        "newer": _texts_at(subject, kept, page - 1) if page > 1 else "",
        "older": _texts_at(subject, kept, page + 1) if total is not None and total > page * TEXT_ROWS else "",
        "example": examples.predictions(subject.watched),
        "nothing": subject.watched.last_prediction_at is None and not found,
    }


def _sortable(one: Json) -> bool:
    return isinstance(one.get("name"), str) and one.get("type") != "categorical"


def _page(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 and int(text) > 0 else 1


def _texts_at(subject: Subject, kept: dict[str, str], page: int) -> str:
    pairs = {name: value for name, value in (kept | {"page": str(page) if page > 1 else ""}).items() if value}
    base = subject.url("data")
    return base + (("&" if "?" in base else "?") + urlencode(pairs) if pairs else "")


def _text(one: Json) -> Text:
    metrics = objects(one.get("metrics"))
    contexts = objects(one.get("context"))
    return Text(
        parse_time(one.get("timestamp")),
        str(one.get("associationId") or ""),
        str(one.get("prompt") or ""),
        str(one.get("predictedValue") or ""),
        str(one.get("actualValue") or ""),
        tuple((str(row.get("name")), _measured(row.get("value"))) for row in metrics),
        tuple((str(row.get("context") or ""), _web(row.get("link"))) for row in contexts),
    )


def _measured(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return words.number(float(value))
    return words.NONE if value is None else str(value)


def _web(link: Any) -> str:
    """An address that a reader may follow; anything else is left out."""
    return link if isinstance(link, str) and link.startswith(("https://", "http://")) else ""


# --- Quality and exports ------------------------------------------------------------------------------------------


def _quality_why(subject: Subject, quality: list[data_quality.Quality]) -> str:
    """Why there is no table."""
    if quality:
        return ""
    if data_quality.PATH in subject.shelf.refused():
        return "This source does not tell the bins of features, which missing and new values are counted by."
    asked = data_quality.questions(subject)
    if not asked:
        return "The source tells no feature of this model."
    if any(subject.shelf.payload(question) for question in asked):
        return "No row of any feature in this range."
    return "Nobody had looked at it by then." if subject.view.as_of else "The bins of the features are on their way."


def exports(subject: Subject) -> list[Export]:
    """The newest first, of all three kinds."""
    found = [_export(subject, one, kind) for question, kind in EXPORTS for one in subject.shelf.entries(question)]
    return sorted(found, key=lambda one: str(one.made or ""), reverse=True)[:20]


def _export(subject: Subject, one: Json, kind: str) -> Export:
    period = one.get("period") if isinstance(one.get("period"), dict) else {}
    begin, end = (parse_time((period or {}).get(name)) for name in ("start", "end"))
    role = subject.reader.role_in(subject.watched.source.team_id)
    may = role is not None and role.may_change
    return Export(
        WORDS[kind],
        parse_time(one.get("createdAt")),
        words.span_of_days(begin, end) if begin and end else "everything that is kept",
        str(one.get("status") or "SUCCEEDED").lower(),
        tuple(
            (name or key, reverse("download", args=[subject.watched.pk, kind, key]) if may else "")
            for key, name in files_of(one).items()
        ),
    )
