"""The short benchmark that an owner runs: `whatsit bench` measures Whatsit alone, on this machine.

`benchmarks/`, in the repository, compares Whatsit with others. It imports what is here.
"""
