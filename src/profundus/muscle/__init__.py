"""Activation dynamics, force curves and tendons, muscle by muscle."""
