"""Driving a CasparCG server: its command protocol (AMCP), what its INFO tells, and a connection to it."""
