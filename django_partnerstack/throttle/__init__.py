"""
How fast requests may go to PartnerStack, and whether any may: one budget, shared by all processes of the
site.
"""
