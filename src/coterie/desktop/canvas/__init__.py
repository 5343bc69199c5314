"""What the canvases of the main window draw with: text, emoji, shapes, and the layout of messages."""
