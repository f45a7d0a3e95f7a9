"""How a scan copes with a large account: 2,000 functions over 3 Regions, under AWS's own rate limits."""
