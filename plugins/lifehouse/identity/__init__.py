"""Who is who: identifiers in one shape, exact components over them, and ids that stay with customers for life."""
