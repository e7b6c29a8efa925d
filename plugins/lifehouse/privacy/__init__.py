"""Personal data: which columns hold it, how they are masked for BI, and hashed for platforms."""
