"""The nodes' side of a cluster: a whole classifier with its worker, which answers other machines."""
