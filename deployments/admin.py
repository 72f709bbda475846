"""Looking at the service's rows as an administrator; states and blocks are not for reading by people."""

from django.contrib import admin

from deployments.models import ApiToken, AuditEntry, Dataset, DeployedModel, Deployment, Job, ModelPackage, Organisation


@admin.register(Deployment)
class DeploymentAdmin(admin.ModelAdmin[Deployment]):
    list_display = ("label", "public_id", "importance", "status", "last_prediction_at", "deleted_at")
    list_filter = ("importance", "status", "batch_monitoring")
    search_fields = ("label", "public_id")
    readonly_fields = ("public_id", "health", "daily_predictions")
    raw_id_fields = ("champion", "created_by")


@admin.register(ModelPackage)
class ModelPackageAdmin(admin.ModelAdmin[ModelPackage]):
    list_display = ("name", "public_id", "target_name", "target_type", "training_rows", "holdout_rows", "created_at")
    list_filter = ("target_type",)
    search_fields = ("name", "public_id", "model_id")

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """A package never changes: its bins and baselines are frozen with it."""
        return False


@admin.register(DeployedModel)
class DeployedModelAdmin(admin.ModelAdmin[DeployedModel]):
    list_display = ("deployment", "package", "role", "started_at", "ended_at")
    list_filter = ("role",)
    raw_id_fields = ("deployment", "package")


@admin.register(Dataset)
class DatasetAdmin(admin.ModelAdmin[Dataset]):
    list_display = ("name", "public_id", "row_count", "size", "owner", "created_at")
    search_fields = ("name", "public_id")


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin[Organisation]):
    list_display = ("name", "public_id")
    search_fields = ("name", "public_id")
    filter_horizontal = ("members",)


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    list_display = ("kind", "public_id", "state", "deployment", "created_at", "finished_at")
    list_filter = ("kind", "state")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    list_display = ("name", "prefix", "user", "scope", "created_at", "last_used", "expires_at")
    fields = ("name", "user", "scope", "expires_at")
    readonly_fields = ("user",)

    def has_add_permission(self, request: object) -> bool:
        """A token is shown once, when it is made; here it could not be."""
        return False


@admin.register(AuditEntry)
class AuditAdmin(admin.ModelAdmin[AuditEntry]):
    list_display = ("at", "action", "deployment", "user")
    list_filter = ("action",)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False
