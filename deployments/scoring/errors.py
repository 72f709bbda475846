"""The one error of scoring."""

from __future__ import annotations


class ScoringFailed(Exception):
    """A model could not be asked or did not answer as it must; the message is for people."""
