"""The command, for files that were damaged."""

from tests.scripts.conftest import run_command

__all__ = ["run_command"]
