"""Great Expectations: judging queries and keeping what was found."""
