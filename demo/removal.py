"""Taking the demo away: what it registered, what it loaded, whom it made."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, Q

from demo import access, store, watching
from demo.extras import LABELS, PACKAGES
from demo.models import LoadedWeek, Replay
from demo.story import STORIES
from deployments import datasets
from deployments.models import (
    ActualBlock,
    Block,
    CustomRow,
    CustomValue,
    Dataset,
    Deployment,
    DirtyBucket,
    ModelPackage,
    PredictionKey,
    ScheduledReport,
    State,
    WaitingKey,
)

ROWS: tuple[type[Model], ...] = (
    Block,
    ActualBlock,
    PredictionKey,
    WaitingKey,
    DirtyBucket,
    State,
    CustomValue,
    CustomRow,
)
"""Tables that hold a deployment's number without a foreign key."""


def remove() -> int:
    """Delete everything of the demo; answers how many deployments that were. Safe to run again."""
    removed = 0
    user = User.objects.filter(username=watching.USERNAME).first()
    if user is not None:
        removed = _remove_deployments(user)
        for dataset in Dataset.objects.filter(owner=user):
            datasets.delete(dataset)
    watching.forget()
    Replay.objects.all().delete()
    LoadedWeek.objects.all().delete()
    access.forget()
    store.remove()
    return removed


@transaction.atomic
def _remove_deployments(user: User) -> int:
    """The stories' deployments of the demo's user, and the models registered for them."""
    Replay.objects.update(ready_at=None)
    names = {reign.recipe.name for story in STORIES for reign in story.reigns} | set(PACKAGES)
    mine = Deployment.objects.filter(created_by=user, label__in=[*(story.label for story in STORIES), *LABELS])
    ids = list(mine.values_list("pk", flat=True))
    trained = list(ModelPackage.objects.filter(deployed__deployment__in=ids).values_list("pk", flat=True))
    mine.update(champion=None)
    _remove_rows(ids)
    mine.delete()
    ScheduledReport.objects.filter(created_by=user).delete()
    left = ModelPackage.objects.filter(Q(name__in=names) | Q(pk__in=trained), owner=user, deployed=None)
    for package in left.exclude(artifact=""):
        package.artifact.delete(save=False)
    left.delete()
    return len(ids)


def _remove_rows(deployment_ids: Sequence[int]) -> None:
    for table in ROWS:
        table._default_manager.filter(deployment_id__in=deployment_ids).delete()
