"""How many machines a bot needs: a simulation of its busiest hour. Nothing here runs in a bot."""
