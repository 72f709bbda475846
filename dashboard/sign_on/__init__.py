"""Ways in besides the password page: OpenID Connect, a trusted header, second factors; by django-allauth."""
