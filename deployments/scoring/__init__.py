"""Scoring stored rows with a registered model: an ONNX artifact in a process with limits, or an address.

`scorer.open_scorer(package)` gives a scorer; `sandbox` is the process, and imports nothing of Django.
"""
