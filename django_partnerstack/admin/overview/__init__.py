"""The overview of the integration, on the page of the app in the admin."""
