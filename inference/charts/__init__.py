"""Charts as pictures, drawn in a process of its own: a sheet of panels goes in, a PNG comes out.

The bot's process describes a chart (`sheet`) and has it drawn (`client`); it never imports the rest.
"""
