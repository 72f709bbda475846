"""Tags of forms that change something at a source."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.acting import new_nonce

register = template.Library()


@register.simple_tag(takes_context=True)
def nonce(context: template.Context) -> SafeString:
    """The hidden field that makes a form count once."""
    request: Any = context["request"]
    return format_html('<input type="hidden" name="nonce" value="{}">', new_nonce(request.user))
