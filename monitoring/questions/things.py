"""Questions about what people make at a source: challengers, policies, rules, exports, roles.

None is polled but the humility rules, where humility is on. A path that begins with a slash is not below the
deployment, but asked for its sake.
"""

from __future__ import annotations

from monitoring.questions.question import PAGE, Question, params_of


def humility_rules() -> Question:
    """The rules in their order, with trigger and action; an extension that only our service answers."""
    return Question("humilityRules/")


def challengers() -> Question:
    """`data`: each challenger with its name, model and package."""
    return Question("challengers/")


def replay_settings() -> Question:
    """Whether challengers are replayed by themselves (`enabled`) and when (`schedule`)."""
    return Question("challengerReplaySettings/")


def champion_package() -> Question:
    """The champion's package: its ids, name and target."""
    return Question("championModelPackage/")


def model_history() -> Question:
    """The champions, newest first; an extension that only our service answers."""
    return Question("modelHistory/", params_of(("limit", PAGE)), paged=True)


def retraining_policies() -> Question:
    """All policies, each with its latest run."""
    return Question("retrainingPolicies/", params_of(("limit", PAGE)), paged=True)


def retraining_runs(policy_id: str) -> Question:
    """The newest runs of a policy."""
    return Question(f"retrainingPolicies/{policy_id}/runs/", params_of(("limit", PAGE)))


def retraining_settings() -> Question:
    """What runs train on and in whose name."""
    return Question("retrainingSettings/")


def prediction_exports() -> Question:
    """The newest exports of predictions."""
    return Question("predictionDataExports/", params_of(("limit", PAGE)))


def actuals_exports() -> Question:
    """The newest exports of actuals."""
    return Question("actualsDataExports/", params_of(("limit", PAGE)))


def training_exports() -> Question:
    """The newest exports of training data that succeeded."""
    return Question("trainingDataExports/", params_of(("limit", PAGE)))


def shared_roles() -> Question:
    """People, groups and organisations with their roles."""
    return Question("sharedRoles/", params_of(("limit", PAGE)), paged=True)


def model_packages() -> Question:
    """The registered models that the token may see; an extension that only our service answers."""
    return Question("/modelPackages/", params_of(("limit", PAGE)), paged=True)


def custom_jobs() -> Question:
    """What custom metrics can be made from: the built-in recipes and addresses of one's own."""
    return Question("/customJobs/", params_of(("limit", PAGE)))


def datasets() -> Question:
    """The newest files of rows that the token may see."""
    return Question("/datasets/", params_of(("limit", PAGE)))


def prediction_servers() -> Question:
    """Where predictions are made, each with what waits there."""
    return Question("/predictionServers/", params_of(("limit", PAGE)))


def runtime_parameters() -> Question:
    """What the champion's package defines: each parameter with its type, default, limits and the deployment's value."""
    return Question("runtimeParameters/", params_of(("limit", PAGE)), paged=True)


def secondary_sets() -> Question:
    """The sets of secondary datasets to choose from; an extension that only our service answers."""
    return Question("secondaryDatasetConfigurations/", params_of(("limit", PAGE)))


def secondary_in_use() -> Question:
    """Which sets were used, the newest first: the first one is in use."""
    return Question("model/secondaryDatasetConfigurationHistory/", params_of(("limit", PAGE)))


def scheduled_reports() -> Question:
    """Reports of any deployment that the token may see, with schedule and recipients."""
    return Question("/scheduledReports/", params_of(("limit", PAGE)))


def report_runs(report_id: str) -> Question:
    """When a report was made, its file, and what became of its mails, the newest first."""
    return Question(f"/scheduledReports/{report_id}/runs/", params_of(("limit", 10)))
