"""What property tests draw, and how often: a few times with all tests, a thousand times with `make test-faults`."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gnn_checkpointing.refusal import Refusal

_DRAWN = int(os.environ.get("FAULTS_DRAWN", "50"))
as_often_as_asked = settings(
    max_examples=_DRAWN, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

texts = (
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).map(str.strip).filter(bool)
)
"""Texts with whatever UTF-8 can hold but NUL: commas, quotes, line breaks, control characters, every script."""


def at_random(part: int = 1) -> settings:
    """Other draws each time, of a slow test a part of those that are asked for."""
    return settings(as_often_as_asked, max_examples=max(5, _DRAWN // part), derandomize=False, database=None)


def assert_graph_or_sentence(load: Callable[[], object]) -> str:
    """Load something: it comes back, or one short sentence that is safe to print; any other exception fails."""
    try:
        load()
    except Refusal as refusal:
        sentence = str(refusal)
        assert sentence.isprintable(), ascii(sentence)
        assert len(sentence) < 1500
        return sentence
    return ""
