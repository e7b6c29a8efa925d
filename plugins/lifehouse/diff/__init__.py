"""``lifehouse diff``: what differs between two builds of the marts, in numbers and in words."""
