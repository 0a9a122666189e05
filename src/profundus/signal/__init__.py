"""Recording to Trial: filters, envelopes, clocks, quality."""
