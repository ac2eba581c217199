"""Settings and preferences as people see them in Discord: words, panels, and what a press of them does.

A panel remembers nothing: what a press means is in its `custom_id` and in the message it stands in. So it
works on after a restart, and two people's panels need not know of each other.
"""
