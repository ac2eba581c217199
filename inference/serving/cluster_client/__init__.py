"""The bot's side of a cluster: what it asks the nodes, and which of them."""
