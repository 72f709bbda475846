"""The pages, one line each. `dashboard.access` says who may see them; a test walks both."""

from django.urls import path

from dashboard.views import account, act, channels, charts, deployment, fleet, mails, sources, teams, watch

urlpatterns = [
    path("", fleet.show, name="fleet"),
    path("deployments/<int:pk>/", deployment.overview, name="overview"),
    path("deployments/<int:pk>/service/", deployment.service, name="service"),
    path("deployments/<int:pk>/accuracy/", deployment.accuracy, name="accuracy"),
    path("deployments/<int:pk>/drift/", deployment.drift, name="drift"),
    path("deployments/<int:pk>/predictions/", deployment.predictions, name="predictions"),
    path("deployments/<int:pk>/batches/", deployment.batches, name="batches"),
    path("deployments/<int:pk>/refresh/", deployment.refresh, name="refresh"),
    path("deployments/<int:pk>/<slug:tab>/<slug:name>.csv", charts.csv_file, name="chart-csv"),
    path("mail/", mails.listing, name="mails"),
    path("mail/<int:pk>/", mails.show, name="mail"),
    path("mail/<int:pk>/body/", mails.body, name="mail-body"),
    path("mail/<int:pk>/again/", mails.again, name="mail-again"),
    path("watch/", watch.show, name="watch"),
    path("sources/", sources.listing, name="sources"),
    path("sources/new/", sources.add, name="source-add"),
    path("sources/<int:pk>/", sources.change, name="source-change"),
    path("sources/<int:pk>/row/", sources.row, name="source-row"),
    path("sources/<int:pk>/test/", sources.test, name="source-test"),
    path("channels/", channels.listing, name="channels"),
    path("channels/new/", channels.add, name="channel-add"),
    path("channels/<int:pk>/", channels.change, name="channel-change"),
    path("channels/<int:pk>/test/", channels.test, name="channel-test"),
    path("channels/<int:pk>/secret/", channels.secret, name="channel-secret"),
    path("channels/<int:pk>/remove/", channels.remove, name="channel-remove"),
    path("teams/", teams.listing, name="teams"),
    path("teams/members/<int:pk>/", teams.change, name="member-change"),
    path("preferences/", account.preferences, name="preferences"),
    path("preferences/theme/", account.theme, name="theme"),
    path("preferences/test/", account.test_mail, name="preferences-test"),
    path("login/", account.log_in, name="login"),
    path("logout/", account.log_out, name="logout"),
    path("act/<str:token>/", act.act, name="act"),
    path("unsubscribe/<str:token>/", account.unsubscribe, name="unsubscribe"),
]
