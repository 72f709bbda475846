"""What each act asks, and how the answers become the body that is sent."""

from dashboard.acts.forms.base import ActForm
from dashboard.acts.forms.batches import BatchForm
from dashboard.acts.forms.deployment import DataForm, DetailsForm, ShareForm
from dashboard.acts.forms.exports import ActualsExportForm, CancelForm, PredictionExportForm, TrainingExportForm
from dashboard.acts.forms.humility import RuleForm
from dashboard.acts.forms.metrics import MetricCreateForm, MetricForm, ValuesForm
from dashboard.acts.forms.models import ChallengerForm, CheckForm, NameForm, ReplaceForm, ReplayForm, ReplaySettingsForm
from dashboard.acts.forms.retraining import PolicyForm, RetrainingSettingsForm, RunCancelForm

__all__ = [
    "ActForm",
    "ActualsExportForm",
    "BatchForm",
    "CancelForm",
    "ChallengerForm",
    "CheckForm",
    "DataForm",
    "DetailsForm",
    "MetricCreateForm",
    "MetricForm",
    "NameForm",
    "PolicyForm",
    "PredictionExportForm",
    "ReplaceForm",
    "ReplayForm",
    "ReplaySettingsForm",
    "RetrainingSettingsForm",
    "RuleForm",
    "RunCancelForm",
    "ShareForm",
    "TrainingExportForm",
    "ValuesForm",
]
