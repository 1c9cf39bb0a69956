"""Graph components and stores of our own, named in config.yml and bot/endpoints.yml."""
