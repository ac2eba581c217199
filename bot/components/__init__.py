"""Discord's message components: what panels and answers are made of, and what a press of one tells."""
