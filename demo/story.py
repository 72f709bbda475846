"""Which models are deployed, on which weeks of 2013 each was trained, and since when each has served.

Nothing here decides how a deployment fares: that is left to the flights. Windows and features were
chosen by looking at what a year of flights does to them; `docs/demo.md` tells the story with its
figures. Dates are days of 2013 in New York.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from demo.data import RECENT_DELAY, WEATHER

MIDNIGHT = timedelta(hours=5)
"""A day starts at 05:00 UTC all year round (midnight in New York in winter)."""


class Outcome(StrEnum):
    """What a model foretells; the value is the name of the target."""

    LATE_ARRIVAL = "late_arrival"
    LATE_DEPARTURE = "late_departure"
    CANCELLED = "cancelled"
    ARRIVAL = "arrival"
    ARRIVAL_DELAY = "arrival_delay"
    AIR_TIME = "air_time"


class TargetType(StrEnum):
    BINARY = "Binary"
    MULTICLASS = "Multiclass"
    REGRESSION = "Regression"


class Kind(StrEnum):
    """Boosted trees take missing and unknown values as they come; linear models refuse them."""

    TREES = "trees"
    LINEAR = "linear"


class Importance(StrEnum):
    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


NO, YES = "no", "yes"
EARLY, ON_TIME, LATE, CANCELLED = "early", "on time", "late", "cancelled"

CLASSES: dict[Outcome, tuple[str, ...]] = {
    Outcome.LATE_ARRIVAL: (NO, YES),
    Outcome.LATE_DEPARTURE: (NO, YES),
    Outcome.CANCELLED: (NO, YES),
    Outcome.ARRIVAL: (EARLY, ON_TIME, LATE, CANCELLED),
}

FREQUENT = ("9E", "AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN")
"""The airlines with more than two in a hundred of the flights."""

CATEGORICAL = ("carrier", "origin", "dest", "weekday")
OBSERVED = (*WEATHER, *RECENT_DELAY)
"""Features that the scoring side looks up itself; the others come with the request."""


@dataclass(frozen=True)
class Window:
    """Days `[start, end)` of 2013."""

    start: date
    end: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.start, time(), UTC) + MIDNIGHT

    @property
    def until(self) -> datetime:
        return datetime.combine(self.end, time(), UTC) + MIDNIGHT


def days(start: str, end: str) -> Window:
    return Window(date.fromisoformat(f"2013-{start}"), date.fromisoformat(f"2013-{end}"))


@dataclass(frozen=True)
class Recipe:
    """How one model is made. `training` is fitted on, `holdout` right after it gives the baselines."""

    name: str
    outcome: Outcome
    features: tuple[str, ...]
    training: Window
    holdout: Window
    kind: Kind = Kind.TREES
    carrier: str | None = None
    origin: str | None = None

    @property
    def target_type(self) -> TargetType:
        if self.outcome not in CLASSES:
            return TargetType.REGRESSION
        return TargetType.BINARY if len(self.classes) == 2 else TargetType.MULTICLASS

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the predicted probabilities; empty for a regression."""
        return CLASSES.get(self.outcome, ())


@dataclass(frozen=True)
class Reign:
    """One champion of a deployment and the day (data time) from which it served."""

    recipe: Recipe
    since: datetime


@dataclass(frozen=True)
class Doubt:
    """When a model should doubt itself; bounds are calculated from its holdout or training data."""

    name: str
    trigger: Mapping[str, object]
    action: Mapping[str, object] = field(default_factory=lambda: {"type": "noOperation"})


@dataclass(frozen=True)
class Story:
    """One deployment: its champions in the order of time, and how it is watched."""

    slug: str
    label: str
    description: str
    importance: Importance
    reigns: tuple[Reign, ...]
    segments: tuple[str, ...] = ("origin", "carrier")
    by_batch: bool = False
    replaced_because: str = ""
    locations: bool = field(default=False)
    protected: tuple[str, ...] = ()
    """Features whose classes should fare alike; a flight that is not foretold to be late is what people want."""
    doubts: tuple[Doubt, ...] = ()
    warned: bool = False
    """Whether predictions beyond nearly all of the holdout's are worth a warning."""

    @property
    def recipe(self) -> Recipe:
        """The model that serves today."""
        return self.reigns[-1].recipe

    @property
    def since(self) -> datetime:
        return self.reigns[0].since


def served(recipe: Recipe) -> tuple[Reign, ...]:
    """One champion, in service from the end of its holdout."""
    return (Reign(recipe, recipe.holdout.until),)


SCHEDULE = ("carrier", "origin", "departure_hour", "distance", "scheduled_minutes")

LATE_DEPARTURES_JANUARY = Recipe(
    name="Late departures, trained on January",
    outcome=Outcome.LATE_DEPARTURE,
    features=(*SCHEDULE, "hour_traffic"),
    training=days("01-01", "01-25"),
    holdout=days("01-25", "02-01"),
)
LATE_DEPARTURES_SPRING = Recipe(
    name="Late departures, trained on April to June",
    outcome=Outcome.LATE_DEPARTURE,
    features=(*SCHEDULE, "hour_traffic"),
    training=days("04-01", "06-15"),
    holdout=days("06-15", "07-01"),
)

STORIES: tuple[Story, ...] = (
    Story(
        slug="late-arrivals-weather",
        label="Late arrivals, with the weather",
        description="Will the flight arrive more than 15 minutes late? Trained on six weeks of winter weather.",
        importance=Importance.CRITICAL,
        reigns=served(
            Recipe(
                name="Late arrivals from winter weather",
                outcome=Outcome.LATE_ARRIVAL,
                features=("departure_hour", "scheduled_minutes", *WEATHER),
                training=days("01-01", "02-15"),
                holdout=days("02-15", "03-01"),
            )
        ),
    ),
    Story(
        slug="arrival-delay",
        label="Arrival delay in minutes",
        description="How many minutes late will it arrive? Looks at the delays of the last three hours.",
        importance=Importance.HIGH,
        reigns=served(
            Recipe(
                name="Arrival delay, trained on January to March",
                outcome=Outcome.ARRIVAL_DELAY,
                features=(
                    "carrier",
                    "origin",
                    "departure_hour",
                    "distance",
                    "scheduled_minutes",
                    "seats",
                    *RECENT_DELAY,
                ),
                training=days("01-01", "03-11"),
                holdout=days("03-11", "04-01"),
            )
        ),
        locations=True,
        doubts=(
            Doubt("Beyond the usual delay", {"type": "uncertainPrediction"}),
            Doubt("The airport runs later than usual", {"type": "outlyingInput", "featureName": RECENT_DELAY[0]}),
        ),
        warned=True,
    ),
    Story(
        slug="arrival-class",
        label="Early, on time, late or cancelled",
        description="Early is 15 minutes or more before schedule, late is more than 15 minutes after it.",
        importance=Importance.HIGH,
        reigns=served(
            Recipe(
                name="Arrival class, trained on July and August",
                outcome=Outcome.ARRIVAL,
                features=("carrier", "origin", "departure_hour", "scheduled_minutes", "seats"),
                training=days("07-01", "09-01"),
                holdout=days("09-01", "10-01"),
            )
        ),
    ),
    Story(
        slug="air-time",
        label="Air time, by month",
        description="Minutes in the air, scored once a month for the month's whole schedule.",
        importance=Importance.MODERATE,
        reigns=served(
            Recipe(
                name="Air time, trained on January to March",
                outcome=Outcome.AIR_TIME,
                features=("carrier", "origin", "dest", "distance", "scheduled_minutes"),
                training=days("01-01", "03-11"),
                holdout=days("03-11", "04-01"),
            )
        ),
        by_batch=True,
    ),
    Story(
        slug="late-departures",
        label="Late departures",
        description="Will it leave more than 15 minutes late? The first model was replaced on the first of July.",
        importance=Importance.CRITICAL,
        reigns=(
            Reign(LATE_DEPARTURES_JANUARY, LATE_DEPARTURES_JANUARY.holdout.until),
            Reign(LATE_DEPARTURES_SPRING, LATE_DEPARTURES_SPRING.holdout.until),
        ),
        replaced_because="ACCURACY",
        protected=("carrier", "origin"),
        doubts=(
            Doubt("Too close to call", {"type": "uncertainPrediction"}),
            Doubt(
                "An airline that seldom flies from here",
                {"type": "lowObservationRegion", "featureName": "carrier", "values": list(FREQUENT)},
                {"type": "override", "value": NO},
            ),
        ),
    ),
    Story(
        slug="late-departures-schedule",
        label="Late departures, from the timetable alone",
        description="Knows only what is printed in the timetable. Trained on May and June.",
        importance=Importance.MODERATE,
        reigns=served(
            Recipe(
                name="Late departures from the timetable",
                outcome=Outcome.LATE_DEPARTURE,
                features=SCHEDULE,
                training=days("05-01", "06-20"),
                holdout=days("06-20", "07-04"),
            )
        ),
    ),
    Story(
        slug="cancellations",
        label="Cancelled flights",
        description="Will the flight be cancelled? A linear model that needs a weather report for each flight.",
        importance=Importance.HIGH,
        reigns=served(
            Recipe(
                name="Cancellations, linear",
                outcome=Outcome.CANCELLED,
                features=("carrier", "origin", "departure_hour", "wind_speed", "visib", "precip"),
                training=days("05-01", "07-11"),
                holdout=days("07-11", "08-01"),
                kind=Kind.LINEAR,
            )
        ),
    ),
    Story(
        slug="jfk-arrival-delay",
        label="JFK: arrival delay",
        description="Minutes late at arrival for flights out of Kennedy airport.",
        importance=Importance.MODERATE,
        reigns=served(
            Recipe(
                name="Arrival delay out of JFK",
                outcome=Outcome.ARRIVAL_DELAY,
                features=("carrier", "departure_hour", "distance", "hour_traffic", "seats"),
                training=days("06-01", "07-21"),
                holdout=days("07-21", "08-11"),
                origin="JFK",
            )
        ),
        segments=("carrier",),
    ),
    Story(
        slug="laguardia-late-departures",
        label="LaGuardia: late departures",
        description="A linear model that refuses destinations it has not been trained on.",
        importance=Importance.MODERATE,
        reigns=served(
            Recipe(
                name="Late departures out of LaGuardia, linear",
                outcome=Outcome.LATE_DEPARTURE,
                features=("carrier", "dest", "departure_hour", "scheduled_minutes"),
                training=days("08-15", "10-21"),
                holdout=days("10-21", "11-08"),
                kind=Kind.LINEAR,
                origin="LGA",
            )
        ),
        segments=("carrier",),
    ),
    Story(
        slug="delta-late-arrivals",
        label="Delta: late arrivals",
        description="Will a flight of Delta Air Lines arrive more than 15 minutes late?",
        importance=Importance.LOW,
        reigns=served(
            Recipe(
                name="Late arrivals of Delta",
                outcome=Outcome.LATE_ARRIVAL,
                features=("origin", "dest", "departure_hour", "distance", "weekday"),
                training=days("05-01", "06-20"),
                holdout=days("06-20", "07-10"),
                carrier="DL",
            )
        ),
        segments=("origin",),
    ),
    Story(
        slug="us-airways-late-arrivals",
        label="US Airways: late arrivals",
        description="Will a flight of US Airways arrive more than 15 minutes late?",
        importance=Importance.LOW,
        reigns=served(
            Recipe(
                name="Late arrivals of US Airways",
                outcome=Outcome.LATE_ARRIVAL,
                features=("origin", "dest", "departure_hour", "scheduled_minutes"),
                training=days("05-01", "06-20"),
                holdout=days("06-20", "07-10"),
                carrier="US",
            )
        ),
        segments=("origin",),
    ),
    Story(
        slug="jetblue-arrival-delay",
        label="JetBlue: arrival delay",
        description="Minutes late at arrival for flights of JetBlue Airways.",
        importance=Importance.LOW,
        reigns=served(
            Recipe(
                name="Arrival delay of JetBlue",
                outcome=Outcome.ARRIVAL_DELAY,
                features=("origin", "dest", "departure_hour", "scheduled_minutes", "seats"),
                training=days("05-01", "06-20"),
                holdout=days("06-20", "07-10"),
                carrier="B6",
            )
        ),
        segments=("origin",),
    ),
)
