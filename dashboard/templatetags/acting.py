"""Tags of forms that change something at a source."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.loader import get_template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard.acting import new_nonce
from dashboard.acts.buttons import Button
from dashboard.acts.rows import ACTS
from dashboard.reader import Reader
from monitoring.models import Watched

register = template.Library()


@register.simple_tag(takes_context=True)
def nonce(context: template.Context) -> SafeString:
    """The hidden field that makes a form count once."""
    request: Any = context["request"]
    return format_html('<input type="hidden" name="nonce" value="{}">', new_nonce(request.user))


def _drawn(context: template.Context, button: Button) -> str:
    """A button within the page's own context: a table has a row of them a batch."""
    piece: Any = get_template("dashboard/_act_button.html")
    with context.push(one=button):
        return str(piece.template.render(context))


@register.simple_tag
def act_section(kind: str) -> str:
    """The section of the manage tab in which the thing of an act stands; "" for what is asked elsewhere."""
    found = ACTS.get(kind)
    return found.section if found else ""


@register.simple_tag(takes_context=True)
def acts(context: template.Context, kinds: str, thing: str = "") -> SafeString:
    """The buttons of some acts (slugs with blanks between) on a thing of the deployment, where it stands on a page.

    Nothing for who may not change anything; what the source does not support is told once the button is followed.
    """
    reader: Reader | None = context.get("reader")
    watched: Watched | None = context.get("watched")
    if reader is None or watched is None or watched.gone_at is not None:
        return mark_safe("")
    role = reader.role_in(watched.source.team_id)
    if role is None or not role.may_change:
        return mark_safe("")
    query = "?" + urlencode({"thing": thing}) if thing else ""
    made = [
        Button(act.word, reverse("act-on", args=[watched.pk, act.kind.value]) + query, act.at_once, act.typed)
        for act in (ACTS[slug] for slug in kinds.split())
    ]
    parts = [_drawn(context, one) for one in made]
    return format_html('<span class="manage-buttons">{}</span>', mark_safe("".join(parts)))  # noqa: S308 - templates
