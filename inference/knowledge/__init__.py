"""What servers have taught, in a process of its own that does the arithmetic: fits, names, tests.

The bot's process asks it through `client`, which imports no numbers; it never imports the rest. The process
keeps nothing on disk. What it has forgotten, or took with it when it died, the client reads from the store
again.
"""
