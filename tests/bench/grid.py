"""A table of the bench for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table as Grid

if TYPE_CHECKING:
    from bench.tables import Table


def grid(table: Table) -> Grid:
    """The table with its title; a missed aim in red."""
    shown = Grid(title=table.title, title_justify="left", title_style="bold")
    for index, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if index in table.right else "left")
    met = table.columns.index("met") if "met" in table.columns else None
    for row in table.rows:
        shown.add_row(*row, style="red" if met is not None and row[met] == "no" else None)
    return shown
