"""Pages in which a person scrolls through volumes, with the viewer NiiVue inside."""

from .evaluation_viewers import write_viewers
from .prediction_viewer import write_viewer
from .shown_volumes import Shown, ShownGrid
from .viewer_page import ViewerPage, write_page
from .volume_packing import pack

__all__ = [
    "Shown",
    "ShownGrid",
    "ViewerPage",
    "pack",
    "write_page",
    "write_viewer",
    "write_viewers",
]
