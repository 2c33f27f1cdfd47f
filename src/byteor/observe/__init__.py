"""A plant seen from outside while it runs, or as it was left: status, rates, what holds it back, who is to blame."""
