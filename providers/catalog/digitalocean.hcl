# DigitalOcean. Tokens are refreshed at an address of its own.
# Source: https://docs.digitalocean.com/reference/api/oauth/.
# Unverified: PKCE; the 30 days of the access token; rotation.

provider "digitalocean" {
  title = "DigitalOcean"
  docs  = "https://docs.digitalocean.com/reference/api/oauth/"

  authorization_endpoint = "https://cloud.digitalocean.com/v1/oauth/authorize"
  token_endpoint         = "https://cloud.digitalocean.com/v1/oauth/token"
  refresh_endpoint       = "https://cloud.digitalocean.com/v1/oauth/refresh"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "30d"
  }

  rotation {
    kind = "single_use"
  }

  # Its revocation endpoint wants the token as a bearer token as well.
  revocation      = "none"
  revocation_note = "Revoke the application under API, Authorized Applications."
}
