"""HTTP beneath the handlers: requests, responses, errors, authentication, CSRF, compression."""
