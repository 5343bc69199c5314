"""Hours of use in minutes: many clients write, come, go and return while days pass (docs/trials.md)."""
