"""Great Expectations: judging queries and keeping what was found. Nobody imports it past this package."""

import os
import warnings

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # it is read as Great Expectations is imported
warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"great_expectations.*")
