"""Pages from the folders that fits and comparisons leave behind."""

from profundus.pages.comparison import write_comparison_page
from profundus.pages.run import PAGE, page_of, write_page

__all__ = ["PAGE", "page_of", "write_comparison_page", "write_page"]
