"""Pages from the folders that fits, comparisons and learned priors leave behind."""

from profundus.pages.comparison import write_comparison_page
from profundus.pages.prior import is_prior, write_prior_page
from profundus.pages.run import PAGE, page_of, write_page

__all__ = ["PAGE", "is_prior", "page_of", "write_comparison_page", "write_page", "write_prior_page"]
