"""What the published release says, for people: a summary in the terminal, a page, and the state of the house."""
