"""The pictures: each is taken off the display and shows what it is called after."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from coterie.desktop import gallery
from coterie.screens.theme import DARK, LIGHT


def colours(picture: Image.Image) -> set[str]:
    found = picture.getcolors(1 << 20) or []
    return {"#" + bytes(colour).hex() for _, colour in found if isinstance(colour, tuple)}


@pytest.mark.parametrize("name", list(gallery.PICTURES))
@pytest.mark.slow
def test_every_picture_is_taken_in_its_theme(display: str, tmp_path: Path, name: str) -> None:
    assert gallery.main([name, "--out", str(tmp_path)]) == 0
    picture = Image.open(tmp_path / f"{name}.png")
    wanted = gallery.PICTURES[name]
    assert f"{picture.width}x{picture.height}" == wanted.size
    shown = colours(picture)
    assert {wanted.theme.colours.panel, wanted.theme.colours.window, wanted.theme.colours.field} <= shown
    other = LIGHT if wanted.theme is DARK else DARK
    assert other.colours.window not in shown


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gallery.main(["nothing-like-it"])
    assert "no such picture" in capsys.readouterr().err
