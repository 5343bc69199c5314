from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coterie.desktop.canvas.clusters import clusters, drawn, runs, tk_text, unsafe_runs
from coterie.screens.emoji_sequences import emoji_list


def test_no_emoji_of_the_list_is_left_to_tk() -> None:
    harmless = set("©®™#*0123456789")
    left = [text for text in emoji_list().cells if not drawn(text) and not set(text) <= harmless]
    assert left == []


def test_common_letters_and_signs_are_left_to_tk() -> None:
    assert not drawn("Grüße, naïve — “Ελλάδα” Привет 你好 こんにちは 안녕 €→≤│©")


def test_scripts_that_tk_draws_badly_are_drawn() -> None:
    assert list(runs("a שלום b हिन्दी")) == [("a ", False), ("שלום", True), (" b ", False), ("हिन्दी", True)]
    assert list(unsafe_runs("a שלום 𝔘")) == [("a שלום ", False), ("𝔘", True)]


def test_marks_stay_with_their_letter() -> None:
    assert clusters("e\u0301x") == ["e\u0301", "x"]
    assert clusters("क्षि") == ["क्", "षि"]


@given(st.text())
def test_cutting_loses_nothing_and_what_tk_gets_is_safe(text: str) -> None:
    for cut in (runs, unsafe_runs):
        assert "".join(part for part, _ in cut(text)) == text
    assert "".join(clusters(text)) == text
    assert not drawn(tk_text(text))
    assert not any(char > "\uffff" for part, unsafe in unsafe_runs(text) if not unsafe for char in part)
