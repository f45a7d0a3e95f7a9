"""The page: a scan's record as one HTML file that needs nothing else. `page` is the way in."""

from warmcast.page.page import page

__all__ = ["page"]
