"""The as-run log as files: CSV, JSON lines, a printed report and BXF. All are streams, bounded in memory."""
