"""What people do with buttons, menus and forms: a press, who handles it, and what they hear if it fails."""
