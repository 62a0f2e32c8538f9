"""Seven bugs for the judge of histories to find, in the platform's own processes."""
