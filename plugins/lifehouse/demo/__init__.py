"""The demo company: a shop filled from The Complete Journey, a simulated CRM, and a receiver for what is pushed."""
