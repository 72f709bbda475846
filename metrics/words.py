"""Words of a text: the only tokeniser, used when bins are fitted and when live rows are counted."""

from __future__ import annotations

import re

# Chinese and Japanese are written without spaces: each of their characters stands for itself.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_WORD = re.compile(f"[{_CJK}]|[^\\W_{_CJK}]+(?:['\u2019][^\\W_{_CJK}]+)*")


def words_of(text: str | None) -> frozenset[str]:
    """The distinct words of `text` in lower case; letters and digits, with apostrophes inside a word.

    Chinese and Japanese characters are words of their own. No words for `None` or a text without letters.

    >>> sorted(words_of("Late AGAIN, wasn't it? 東京"))
    ['again', 'it', 'late', "wasn't", '京', '東']
    """
    return frozenset(_WORD.findall(text.lower())) if text else frozenset()
