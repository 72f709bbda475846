"""The style sheet of the printed record: the light tokens and a few rules, inside the one file that people keep."""

from __future__ import annotations

from dashboard.charts.theme import LIGHT_TOKENS

_RULES = """
@page { size: A4; margin: 12mm; @bottom-right { content: counter(page) " / " counter(pages); } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 820px; background: var(--surface); color: var(--text2);
  font: 400 10pt/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
h1 { font-size: 16pt; line-height: 1.25; margin: 0 0 2px; color: var(--text1); }
h2 { font-size: 12.5pt; line-height: 1.3; margin: 0; color: var(--text1); display: flex; gap: 8px;
  align-items: center; }
h3 { font-size: 10.5pt; margin: 14px 0 4px; color: var(--text1); }
p { margin: 2px 0; }
b, .ink { color: var(--text1); font-weight: 600; }
small, .small { font-size: 8.5pt; color: var(--text3); }
section { border-top: 1px solid var(--line2); padding-top: 10px; margin-top: 18px; position: relative;
  break-inside: avoid; }
section::before { content: ""; position: absolute; top: -2px; left: 0; width: 28px; height: 3px;
  background: var(--text1); }
section.failing::before { background: var(--failing); }
section.warning::before { background: var(--warning); }
table { width: 100%; border-collapse: collapse; margin-top: 6px; }
th { font-weight: 400; font-size: 8.5pt; color: var(--text3); text-align: left; padding: 3px 8px 3px 0;
  border-bottom: 1px solid var(--line2); }
td { border-bottom: 1px solid var(--line1); padding: 4px 8px 4px 0; vertical-align: top; }
.num { text-align: right; }
.verdict { margin-left: auto; border: 1px solid var(--text1); border-radius: 4px; padding: 0 7px;
  font-size: 9.5pt; font-weight: 600; color: var(--text1); }
.status { display: inline-flex; gap: 5px; align-items: center; white-space: nowrap; }
.note { border-left: 3px solid var(--line2); padding-left: 10px; margin: 8px 0; white-space: pre-wrap; }
dl { display: flex; flex-wrap: wrap; gap: 6px 28px; margin: 10px 0 0; }
dt { font-size: 8.5pt; color: var(--text3); }
dd { margin: 0; color: var(--text1); }
.mono { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 8pt; overflow-wrap: anywhere; }
svg { vertical-align: middle; print-color-adjust: exact; }
h2, h3 { break-after: avoid; }
tr { break-inside: avoid; }
@media print { body { padding: 0; max-width: none; } }
"""


def style() -> str:
    """Tokens, then rules."""
    tokens = "".join(f"--{name}: {value};" for name, value in LIGHT_TOKENS.items())
    return f":root {{ color-scheme: light; {tokens} }}{_RULES}"


STYLE = style()
