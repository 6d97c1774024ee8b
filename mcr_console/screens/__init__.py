"""The screens. They put panels together and move cursors; what is drawn and what is done lives elsewhere."""
