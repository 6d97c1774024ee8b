"""Widgets of the line API: they show strips that pure functions draw, and repaint only lines that changed."""
