"""What each act asks, and how the answers become the body that is sent."""

from dashboard.acts.forms.base import ActForm
from dashboard.acts.forms.batches import BatchForm, BatchTimesForm
from dashboard.acts.forms.deployment import DataForm, DetailsForm, ShareForm
from dashboard.acts.forms.exports import ActualsExportForm, CancelForm, PredictionExportForm, TrainingExportForm
from dashboard.acts.forms.files import ActualsFileForm, MetricFileForm, PredictionsFileForm
from dashboard.acts.forms.humility import RuleForm
from dashboard.acts.forms.jobs import FromJobForm
from dashboard.acts.forms.metrics import MetricCreateForm, MetricForm, ValuesForm
from dashboard.acts.forms.models import ChallengerForm, CheckForm, NameForm, ReplaceForm, ReplayForm, ReplaySettingsForm
from dashboard.acts.forms.reports import ReportForm, ReportRunForm
from dashboard.acts.forms.retraining import PolicyForm, RetrainingSettingsForm, RunCancelForm
from dashboard.acts.forms.running import RuntimeForm, ScoringCodeForm, SetForm, SetUseForm

__all__ = [
    "ActForm",
    "ActualsExportForm",
    "ActualsFileForm",
    "BatchForm",
    "BatchTimesForm",
    "CancelForm",
    "ChallengerForm",
    "CheckForm",
    "DataForm",
    "DetailsForm",
    "FromJobForm",
    "MetricCreateForm",
    "MetricFileForm",
    "MetricForm",
    "NameForm",
    "PolicyForm",
    "PredictionExportForm",
    "PredictionsFileForm",
    "ReplaceForm",
    "ReplayForm",
    "ReplaySettingsForm",
    "ReportForm",
    "ReportRunForm",
    "RetrainingSettingsForm",
    "RuleForm",
    "RunCancelForm",
    "RuntimeForm",
    "ScoringCodeForm",
    "SetForm",
    "SetUseForm",
    "ShareForm",
    "TrainingExportForm",
    "ValuesForm",
]
