"""The report: one self-contained HTML file on what a workspace holds."""
