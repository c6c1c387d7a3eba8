from typing import Annotated

import pytest
import typer

from mri_attention.scripts.terminal.value_lists import EchoListCommand, repeated


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("in out --label 01 02 --other x", "in out --label 01 --label 02 --other x"),
        ("--label 01 --label 02", "--label 01 --label 02"),
        ("--other x y --label 01", "--other x y --label 01"),
        ("--label 01 02 -- --label 03 04", "--label 01 --label 02 -- --label 03 04"),
        ("--label=01 in", "--label=01 in"),
    ],
)
def test_an_option_is_repeated_before_each_of_its_values(words: str, expected: str) -> None:
    assert repeated(words.split(), ["--label"]) == expected.split()


def test_echoes_are_lists_and_other_options_are_not() -> None:
    app = typer.Typer()
    found: list[object] = []

    @app.command(cls=EchoListCommand)
    def command(bundle: str, phase: Annotated[list[str], typer.Option()], image: Annotated[list[str], typer.Option()]):  # type: ignore[no-untyped-def]  # noqa: ANN202
        found.extend([bundle, phase, image])

    app(["--phase", "a", "b", "--image", "c", "bundle", "--image", "d"], standalone_mode=False)
    assert found == ["bundle", ["a", "b"], ["c", "d"]]
