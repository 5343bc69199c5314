"""Other servers that people host themselves, measured side by side with coterie (`coterie bench --against`).

None of them is needed for anything else: who wants to compare installs them (docs/performance.md says how).
Each runs on loopback, in a temporary folder, with a configuration and a certificate that are made for it, and
is stopped by its process id.
"""
