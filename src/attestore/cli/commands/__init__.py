"""The commands as they are declared: one module a group, what they do is imported when asked for."""
