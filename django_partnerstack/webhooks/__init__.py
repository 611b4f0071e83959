"""
Webhooks: what changes at PartnerStack is in the mirror within seconds.

``receive`` stores a delivery by one INSERT. ``process`` reads the object again through the API, because
deliveries are not signed, arrive in any order, twice or never. ``endpoints`` registers this site's URL.
"""
