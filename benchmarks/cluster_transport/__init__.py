"""What a cluster costs beside one machine."""
