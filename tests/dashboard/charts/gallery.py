"""A page that shows every component and chart: for eyes (``python -m tests.dashboard.charts.gallery``) and tests."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from dashboard.charts.accuracy import ACCURACY
from dashboard.charts.batches import BATCHES
from dashboard.charts.chart import ChartView
from dashboard.charts.distribution import DISTRIBUTION
from dashboard.charts.drift_over_time import DRIFT_OVER_TIME
from dashboard.charts.heat import heat_title
from dashboard.charts.importance import IMPORTANCE
from dashboard.charts.lane import LANE
from dashboard.charts.predicted_actual import PREDICTED_ACTUAL
from dashboard.charts.predictions import PREDICTIONS
from dashboard.charts.ranked import RANKED
from dashboard.charts.service import SERVICE
from dashboard.charts.theme import STATUSES
from tests.dashboard.charts import flights

ROOT = Path(__file__).resolve().parents[3]
SHEETS = ("tokens", "base", "components", "charts")
TEXT = "Computed from the flights of June and July."
LEAD = {"caption": "AUC by prediction date", "status": "warning", "foot": "7 d windows. Hollow: labels still arriving."}
DRIFT = {"caption": "PSI against training, last 7 d", "status": "failing"}
STRIP = ["not_started"] * 6 + ["failing"] * 3 + ["warning"] * 4 + ["unknown", "unavailable"] + ["passing"] * 15


def engine() -> Engine:
    return Engine(
        dirs=[str(ROOT / "templates")], libraries={"vitals": "dashboard.templatetags.vitals"}, autoescape=True
    )


def lanes() -> list[dict[str, Any]]:
    rows = (
        ("predictions", "Predictions", "passing", "951", "a day", LANE, flights.volume()),
        ("drift", "Drift", "failing", "3.43", "pressure, PSI", DRIFT_OVER_TIME, flights.drift_points()),
        ("accuracy", "Accuracy", "warning", "0.754", "AUC", LANE, flights.accuracy_time(axis=False, height=124)),
        (
            "actual",
            "Predicted and actual",
            "passing",
            "26 %",
            "predicted",
            PREDICTED_ACTUAL,
            flights.predicted_actual_points(),
        ),
    )
    return [
        {"name": name, "status": status, "value": value, "unit": unit, "text": TEXT,
         "view": kind.view(f"lane-{key}", points, bare=True)}
        for key, name, status, value, unit, kind, points in rows
    ]  # fmt: skip


def views() -> list[list[ChartView]]:
    accuracy, service = flights.accuracy_points(), flights.service_points()
    return [
        [ACCURACY.view("lead", accuracy, **LEAD)],
        [
            IMPORTANCE.view("importance", flights.importance_points(), **DRIFT),
            DISTRIBUTION.view("pressure", flights.distribution_points(), caption="Pressure: share of rows per 2 hPa"),
        ],
        [
            SERVICE.view("service", service, caption="Departure delays as response", status="failing", api_url="/api"),
            DISTRIBUTION.view("carrier", flights.category_points(), caption="Carrier: share of rows"),
        ],
        [
            PREDICTIONS.view("predictions", flights.prediction_points(), caption="Mean and 10–90 % of predictions"),
            PREDICTIONS.view("classes", flights.class_points(), caption="Share of flights by airport"),
        ],
        [
            BATCHES.view("batches", flights.batch_points(), caption="AUC by weekly batch with 95 % interval"),
            RANKED.view("ranked", flights.ranked_points(), caption="AUC by carrier with 95 % interval, rows"),
        ],
    ]  # fmt: skip


@cache
def context() -> dict[str, Any]:
    heat = flights.heat_points()
    return {
        "statuses": STATUSES,
        "strip": STRIP,
        "spark": [951.0, 940, 900, None, 930, 960, 800, 951],
        "tiles": [
            {
                "name": "AUC, judged",
                "status": "warning",
                "value": "0.754",
                "unit": "",
                "change": -0.058,
                "note": "from 0.800",
            },
            {
                "name": "RMSE",
                "status": "failing",
                "value": "51.1",
                "unit": "min",
                "change": -0.342,
                "note": "from 38.1",
            },
            {
                "name": "LogLoss",
                "status": "passing",
                "value": "0.534",
                "unit": "",
                "change": 0.021,
                "note": "from 0.545",
            },
        ],
        "lanes": lanes(),
        "charts": views(),
        "heat": heat,
        "heat_title": heat_title(heat),
    }


def gallery_html(theme: str = "light", base: str = "/static/", plotly: str = "/static/plotly/plotly.min.js") -> str:
    sheets = [f"{base}css/{name}.css" for name in SHEETS]
    more = {"theme": theme, "base": base, "plotly": plotly, "sheets": sheets}
    return engine().get_template("dashboard/_gallery.html").render(Context(context() | more))


if __name__ == "__main__":
    import django
    from django.conf import settings

    settings.configure(USE_TZ=True)
    django.setup()
    Path(sys.argv[1]).write_text(gallery_html())
