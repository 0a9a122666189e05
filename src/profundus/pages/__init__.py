"""Pages from the folders that fits, comparisons and learned priors leave behind."""
