from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.richtext import (
    Block,
    CodeBlock,
    Paragraph,
    Span,
    Style,
    large_emoji,
    preview,
    rich,
    right_to_left,
)


def is_name(name: str) -> bool:
    return name in ("bob", "noor.h")


def spans(text: str) -> tuple[Span, ...]:
    (block,) = rich(text, is_name)
    assert isinstance(block, Paragraph)
    return block.spans


def shown(blocks: tuple[Block, ...]) -> str:
    lines: list[str] = []
    for block in blocks:
        parts = block.lines if isinstance(block, CodeBlock) else (block.spans,)
        lines += ["".join(span.text for span in part) for part in parts]
    return "\n".join(lines)


def test_links_code_and_names_are_found() -> None:
    assert spans("see https://example.org/x, `a b` and @bob: hi") == (
        Span("see "),
        Span("https://example.org/x", Style.LINK, "https://example.org/x"),
        Span(", "),
        Span("a b", Style.CODE),
        Span(" and "),
        Span("@bob", Style.MENTION, "bob"),
        Span(": hi"),
    )


def test_a_name_may_hold_a_dot_and_an_address_is_no_name() -> None:
    assert Span("@noor.h", Style.MENTION, "noor.h") in spans("@noor.h.")
    assert spans("bob@bob @nobody") == (Span("bob@bob @nobody"),)


def test_a_link_that_hides_its_host_shows_it() -> None:
    assert spans("https://bank.example@evil.example/")[-1] == Span(" (evil.example)", Style.FAINT)


def test_emoji_are_spans_of_their_own_whatever_the_style() -> None:
    assert [(span.text, span.cell >= 0, span.style) for span in spans("a👍🏽`b😀`")] == [
        ("a", False, Style.PLAIN),
        ("👍🏽", True, Style.PLAIN),
        ("b", False, Style.CODE),
        ("😀", True, Style.CODE),
    ]


def test_code_blocks_keep_their_spaces_and_take_no_links() -> None:
    blocks = rich("look\n```python\n  x = 1\n\nhttps://a.example\n```\ndone", is_name)
    assert [type(block) for block in blocks] == [Paragraph, CodeBlock, Paragraph]
    assert blocks[1] == CodeBlock(
        ((Span("  x = 1", Style.CODE),), (), (Span("https://a.example", Style.CODE),))
    )


def test_a_code_block_that_never_ends_goes_to_the_end() -> None:
    blocks = rich("```\nx", is_name)
    assert blocks == (CodeBlock(((Span("x", Style.CODE),),)),)


def test_empty_lines_are_paragraphs() -> None:
    assert len(rich("a\n\nb", is_name)) == 3


def test_the_first_letter_gives_the_direction() -> None:
    assert right_to_left("123 שלום abc")
    assert not right_to_left("abc שלום")
    assert [block.right_to_left for block in rich("שלום\nabc", is_name) if isinstance(block, Paragraph)] == [
        True,
        False,
    ]


def test_a_few_emoji_alone_are_large() -> None:
    assert large_emoji(rich("😀 👍🏽", is_name))
    assert not large_emoji(rich("😀 a", is_name))
    assert not large_emoji(rich("😀😀😀😀", is_name))
    assert not large_emoji(rich("", is_name))


def test_a_preview_is_one_short_line() -> None:
    assert preview("  a\n\nb\t c ") == (Span("a b c"),)
    assert sum(len(span.text) for span in preview("x " * 1_000)) <= 120


@given(st.text(alphabet=st.sampled_from("ab `\n@😀\u202eש/:.htps\u200d"), max_size=40) | st.text())
def test_any_text_becomes_blocks_and_nothing_is_lost_but_what_is_cleaned(text: str) -> None:
    blocks = rich(text, is_name)
    assert blocks
    assert "\u202e" not in shown(blocks)
    visible = {char for char in text if char.isalnum() and char.isascii()}
    fences = {char for line in text.split("\n") if line.startswith("```") for char in line}
    assert visible - set(shown(blocks)) <= fences
    assert preview(text) is not None
