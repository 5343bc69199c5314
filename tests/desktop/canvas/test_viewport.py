from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.desktop.canvas.viewport import END_GAP_PX, Viewport
from tests.examples import examples


def height_of(row: int) -> int:
    return 10 + row * 37 % 90


def fresh(count: int, height: int = 400) -> Viewport[int]:
    view: Viewport[int] = Viewport(height_of)
    view.height = height
    view.reset(list(range(count)), None)
    return view


def check(view: Viewport[int], placed: list[tuple[int, int]]) -> None:
    """Rows follow each other without gaps, and fill the height where there are enough."""
    for (index, y), (after, below) in itertools.pairwise(placed):
        assert (after, below) == (index + 1, y + height_of(view.rows[index]))
    first, last = placed[0], placed[-1]
    bottom = last[1] + height_of(view.rows[last[0]])
    whole = sum(map(height_of, view.rows)) + END_GAP_PX
    if whole >= view.height:
        assert first[1] <= 0
        assert bottom >= view.height - END_GAP_PX
    else:
        assert (len(placed), bottom) == (len(view.rows), view.height - END_GAP_PX)
    assert first[1] + height_of(view.rows[first[0]]) > 0 or len(placed) == 1


def test_it_begins_at_the_end_or_at_a_row() -> None:
    view = fresh(100)
    assert view.place()[-1][0] == 99
    view.reset(list(range(100)), 40)
    assert view.place()[0] == (40, 0)
    view.reset(list(range(100)), 98)
    assert view.place()[-1][0] == 99
    assert view.at_end


def test_scrolling_up_stops_at_the_first_row_and_down_at_the_last() -> None:
    view = fresh(100)
    view.scroll(-(10**9))
    assert view.place()[0] == (0, 0)
    view.scroll(10**9)
    view.place()
    assert view.at_end


def test_nothing_is_placed_where_there_is_nothing() -> None:
    assert fresh(0).place() == []


def test_a_row_taller_than_the_height_can_be_scrolled_through() -> None:
    view: Viewport[int] = Viewport(lambda _: 5_000)
    view.height = 400
    view.reset([0, 1], None)
    assert view.place() == [(1, 400 - END_GAP_PX - 5_000)]
    view.scroll(-1_000)
    assert view.place() == [(1, 400 - END_GAP_PX - 4_000)]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["scroll", "insert", "append", "remove", "height", "row", "end"]),
        st.integers(-500, 500),
    ),
    max_size=25,
)


@settings(max_examples=examples(150))
@given(st.integers(1, 60), OPERATIONS)
def test_whatever_happens_the_rows_stand_without_gaps(count: int, operations: list[tuple[str, int]]) -> None:
    view, model = fresh(count), list(range(count))
    serial = 1_000
    for operation, number in operations:
        at = abs(number) % (len(model) + 1)
        match operation:
            case "scroll":
                view.scroll(number)
            case "insert":
                fresh_rows = list(range(serial, serial + 3))
                serial += 3
                view.insert(at, fresh_rows)
                model[at:at] = fresh_rows
            case "append":
                view.append([serial])
                model.append(serial)
                serial += 1
            case "remove" if len(model) > 4 and at < len(model) - 2:
                view.remove(at, 2)
                del model[at : at + 2]
            case "height":
                view.height = 50 + abs(number)
            case "row":
                view.to_row(number)
            case "end":
                view.to_end()
            case _:
                pass
        assert view.rows == model
        check(view, view.place())


@given(st.integers(5, 60), st.integers(-2_000, -1), st.integers(1, 20))
def test_what_is_inserted_above_moves_nothing(count: int, scrolled: int, more: int) -> None:
    view = fresh(count, 100)
    view.scroll(scrolled)
    before = [(view.rows[index], y) for index, y in view.place()]
    view.insert(0, list(range(500, 500 + more)))
    after = [(view.rows[index], y) for index, y in view.place()]
    assert before == after or view.at_end


def test_rows_inserted_after_the_last_leave_what_is_seen_where_it_is() -> None:
    view = fresh(100)
    before = view.place()
    view.insert(100, list(range(100, 200)))
    assert not view.at_end
    after = view.place()
    assert after[: len(before)] == before
    assert view.last == after[-1][0] < 102
    view.append([200])
    assert view.place() == after
