"""How well labels that a server taught name pictures, how many strangers they take, and what that costs."""
