"""Lifehouse: a customer-lifecycle warehouse."""
