"""The demo company: a shop with The Complete Journey, a simulated CRM, a receiver for what is pushed."""
