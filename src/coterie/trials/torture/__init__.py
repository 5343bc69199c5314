"""Talk of many while everything around it breaks (docs/trials.md)."""
