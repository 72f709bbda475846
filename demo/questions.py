"""Questions about Python with their answers, made from the help texts of the standard library, and who answers them.

`pydoc_data.topics` holds the language reference by topic. Each sentence becomes a pair: the question quotes how it
begins, the paragraph that it stands in is the answer that was wanted. The answerer knows all paragraphs and returns the
one that TF-IDF finds nearest to the few words of the question: right in two of three cases. No text is invented.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pydoc_data.topics import topics

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

SHORTEST, LONGEST = 80, 1500
"""Characters of a paragraph that is worth asking about."""
WORDS = 5
"""Words of a sentence that a question quotes; the sentence has some more."""
PASSAGES = 3
DOCUMENTATION = "https://docs.python.org/3/search.html?q="
_RULE = re.compile(r"^[*=\-^~]{3,}$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?]) +")
_CODE = re.compile(r"::=|>>>|^\s*(def|class|for|if|while|return|import)\b.*:?$", re.MULTILINE)


@dataclass(frozen=True)
class Passage:
    """A paragraph of a topic."""

    topic: str
    text: str

    @property
    def link(self) -> str:
        """Where its topic is found in Python's documentation."""
        return f"{DOCUMENTATION}{self.topic}"


@dataclass(frozen=True)
class Question:
    """What is asked, and the paragraph that would be the right answer."""

    text: str
    wanted: Passage


@dataclass(frozen=True)
class Answer:
    """The passages found, nearest first, how near the first is, and the milliseconds that it took."""

    passages: tuple[Passage, ...]
    similarity: float
    milliseconds: float

    @property
    def text(self) -> str:
        """The first passage is the answer."""
        return self.passages[0].text


def passages() -> list[Passage]:
    """All paragraphs of prose, each once, by topic and in their order."""
    found: dict[str, Passage] = {}
    for topic in sorted(topics):
        for part in topics[topic].split("\n\n"):
            text = " ".join(part.split())
            if SHORTEST <= len(text) <= LONGEST and not _RULE.search(part) and not _CODE.search(part):
                found.setdefault(text, Passage(topic, text))
    return list(found.values())


def questions(known: Sequence[Passage]) -> list[Question]:
    """One question for each sentence that is long enough, each text once."""
    found: dict[str, Question] = {}
    for passage in known:
        for sentence in _SENTENCE.split(passage.text):
            words = re.findall(r"\w+", sentence)
            if len(words) >= WORDS + 2:
                text = f"What about “{' '.join(words[:WORDS])}”?"
                found.setdefault(text, Question(text, passage))
    return list(found.values())


class Answerer:
    """Finds the passages nearest to a question."""

    def __init__(self, known: Sequence[Passage]) -> None:
        self.known = tuple(known)
        self._vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
        self._matrix = self._vectorizer.fit_transform([passage.text for passage in self.known])

    def answer(self, question: str) -> Answer:
        """The nearest passages; the clock runs around the whole search."""
        began = time.perf_counter()
        scores = (self._matrix @ self._vectorizer.transform([question]).T).toarray()[:, 0]
        nearest = np.argsort(-scores, kind="stable")[:PASSAGES]
        found = tuple(self.known[number] for number in nearest)
        return Answer(found, float(scores[nearest[0]]), 1000 * (time.perf_counter() - began))


def overlap(answer: str, wanted: str) -> float:
    """The share of the words of both texts that they have in common (Jaccard), 0 to 1."""
    first, second = (set(re.findall(r"\w+", text.lower())) for text in (answer, wanted))
    return len(first & second) / len(first | second) if first | second else 1.0


def shuffled(asked: Sequence[Question]) -> list[Question]:
    """The same questions in an order that has nothing to do with their topics, and is always the same."""
    return sorted(asked, key=lambda one: hashlib.sha256(one.text.encode()).digest())
